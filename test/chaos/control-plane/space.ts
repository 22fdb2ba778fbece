import { setTimeout as pause } from 'node:timers/promises'
import { completeServer, type Sparse } from '#api/default.ts'
import { hubApiVersion, serverObjectName } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import { frameworkObjects } from '#api/seed.ts'
import type { TServerSpec } from '#api/types.ts'
import { describe } from '#base/errors.ts'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isConflict, isNotFound, KubeError } from '#kube/errors.ts'
import { namespaces } from '#kube/resources.ts'
import type { AnyObject, Draft, Resource } from '#kube/types.ts'

/** What an operator believes of a TServer. */
export interface KnownServer {
  spec: Sparse<TServerSpec>
  /** StatefulSets that it may have had so far: its first, and one for each reason to make it anew. */
  sets: number
}

/** A version of a configuration file. */
export interface KnownConfig {
  readonly name: string
  readonly content: string
}

/** A file and its versions, in the order of their last activation. */
export interface KnownFile {
  readonly versions: KnownConfig[]
  /** Those that the limit of the history may have taken, too. */
  readonly old: KnownConfig[]
}

/** What an operator has asked for in a namespace and was told is done; the truth that the cluster is compared with. */
export class Knowledge {
  readonly servers = new Map<string, KnownServer>()
  readonly files = new Map<string, KnownFile>()
  readonly templates = new Map<string, string>()
  readonly accounts = new Set<string>()
  readonly images = new Map<string, readonly string[]>()
  nodeImage: string | undefined
}

/** Inactive versions that are kept of a file; the fewest that TFrameworkConfig allows. */
export const HISTORY = 10
/** How often the operator asks again. Milliseconds. */
const AGAIN_MS = 250
/**
 * Longest that a write may be refused for reasons that pass, milliseconds: outages of everything in a row, on a machine where each of
 * them lasts, and their end. Kubernetes tries to empty a namespace again after up to a minute.
 */
const PATIENCE_MS = 300_000

/** A namespace, an operator who changes it, and what the operator knows. Its acts are done one after the other. */
export class Space {
  readonly namespace: string
  known = new Knowledge()
  readonly client: KubeClient
  #count = 0

  constructor(client: KubeClient, namespace: string) {
    this.client = client
    this.namespace = namespace
  }

  /** A number that no other act here has had. */
  next(): number {
    return ++this.#count
  }

  /** The namespace with what a framework needs. */
  async found(signal?: AbortSignal): Promise<void> {
    this.known = new Knowledge()
    await this.create(namespaces, { metadata: { name: this.namespace } }, signal)
    const release = { id: 'v1', image: 'registry.test/tars:v1' }
    for (const object of frameworkObjects({ namespace: this.namespace, registry: 'registry.test/tars', release, time: '2024-01-01T00:00:00Z', roles: [] })) {
      const limited = object.kind === 'TFrameworkConfig' ? { ...object, recordLimit: { texitedPod: 100, tconfigHistory: HISTORY, timageRelease: 20 } } : object
      await this.create(resourceOf(object.kind), limited, signal)
    }
  }

  /** The namespace goes with all that is in it. */
  async empty(): Promise<void> {
    await this.remove(namespaces, this.namespace)
    await this.gone(namespaces, this.namespace)
    this.known = new Knowledge()
  }

  /** The TServer as the operator would send it. */
  draft(name: string): Draft {
    const { spec } = this.known.servers.get(name) ?? unknown(name)
    const { apiVersion, kind, spec: complete } = completeServer({ name, namespace: this.namespace }, spec)
    return { apiVersion, kind, metadata: { name, namespace: this.namespace }, spec: complete } as Draft
  }

  async create(resource: Resource, object: Draft, signal?: AbortSignal): Promise<void> {
    await this.#insist(`create ${resource.kind} ${object.metadata.name ?? ''}`, async (tries) => {
      try {
        await this.client.create(resource, object)
      } catch (error) {
        // An earlier try came through without an answer; or what is deleted is not yet gone.
        if (!isAlreadyExists(error)) throw error
        const present = await this.#peek(resource, object.metadata.name ?? '')
        if (present === undefined || present.metadata.deletionTimestamp !== undefined) throw notYet(error)
        if (tries === 1) throw error
      }
    }, signal)
  }

  /** Changes fields by a merge patch, which comes to the same when it is sent twice. */
  async patch(resource: Resource, name: string, body: object, subresource?: string): Promise<void> {
    await this.#insist(`change ${resource.kind} ${name}`, async () => {
      await this.client.patch(resource, { namespace: this.namespace, name }, body, { subresource, fieldManager: 'operator' })
    })
  }

  /** Asks for the end of an object that is there, as far as the operator knows. */
  async remove(resource: Resource, name: string, propagation: 'Background' | 'Foreground' = 'Background'): Promise<void> {
    await this.#insist(`delete ${resource.kind} ${name}`, async (tries) => {
      await this.client.delete(resource, this.#target(resource, name), { propagation }).catch((error: unknown) => {
        if (!isNotFound(error) || tries === 1) throw error
      })
    })
  }

  /** Waits until an object is no more. */
  async gone(resource: Resource, name: string): Promise<void> {
    await this.#insist(`see the end of ${resource.kind} ${name}`, async () => {
      if ((await this.#peek(resource, name)) !== undefined) throw notYet(new Error(`${resource.kind} ${name} is still there`))
    })
  }

  #peek(resource: Resource, name: string): Promise<AnyObject | undefined> {
    return this.client.get(resource, this.#target(resource, name)).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
  }

  #target(resource: Resource, name: string): { readonly namespace: string | undefined; readonly name: string } {
    return { namespace: resource.namespaced ? this.namespace : undefined, name }
  }

  /** What is in the way but passes is tried again; what is refused is a fault. */
  async #insist(what: string, act: (tries: number) => Promise<void>, signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    for (let tries = 1; ; tries++) {
      try {
        return await act(tries)
      } catch (error) {
        const passes = error instanceof KubeError ? error.temporary || isConflict(error) : false
        if (!passes || performance.now() > deadline) throw new Error(`${what} in ${this.namespace} was refused: ${describe(error)}`)
        await pause(AGAIN_MS, undefined, { signal })
      }
    }
  }
}

function notYet(cause: unknown): KubeError {
  return new KubeError('not yet', { status: 0, reason: 'NotYet', cause })
}

function unknown(name: string): never {
  throw new Error(`the operator knows no TServer ${name}`)
}

export function resourceOf(kind: string): Resource {
  const found = Object.values(resources).find((resource) => resource.kind === kind)
  if (found === undefined) throw new Error(`no resource of kind ${kind}`)
  return found as unknown as Resource
}

export const tars = (plural: keyof typeof resources): Resource => resources[plural] as unknown as Resource

/** `lower(app)-lower(server)` of a TServer's spec. */
export const nameOf = ({ app = '', server = '' }: Sparse<TServerSpec>): string => serverObjectName(app, server)

/** An object of the hub version in this namespace. */
export function hub(kind: string, namespace: string, name: string, fields: object): AnyObject {
  return { apiVersion: hubApiVersion, kind, metadata: { namespace, name }, ...fields }
}
