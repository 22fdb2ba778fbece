import type { Readable } from 'node:stream'
import type { Logger } from '#base/log.ts'
import type { AdmissionRequest, AdmissionResponse, UserInfo } from '#kube/admission.ts'
import type { AnyObject } from '#kube/types.ts'
import type { Catalog } from './catalog.ts'
import type { Definition } from './definition.ts'
import type { Store } from './store.ts'

/** As `rules` of a webhook configuration (admissionregistration.k8s.io/v1); `*` stands for all. */
export interface AdmissionRule {
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly resources: readonly string[]
  readonly operations: readonly string[]
}

/** One admission hook. A denial reads `admission webhook "<name>" denied the request: <message>`. */
export interface AdmissionHook {
  readonly name: string
  /** Mutating hooks run first, in order, each seeing what those before it made; then the validating ones. */
  readonly phase: 'mutating' | 'validating'
  /** Without rules: every create, update and delete of every kind. */
  readonly rules?: readonly AdmissionRule[] | undefined
  /** LabelSelector on the object (and the old one). */
  readonly objectSelector?: unknown
  readonly namespaceSelector?: unknown
  /** Exact: only what the rules name. Equivalent (the default): also other versions of it, converted to the one that they name. */
  readonly matchPolicy?: 'Exact' | 'Equivalent' | undefined
  /** Asked last, of what would be sent. @throws Error when it cannot be told, which is an error of the hook */
  readonly matches?: (request: AdmissionRequest) => boolean
  /** Whether an error of the hook itself refuses the request (Fail, the default) or is ignored. */
  readonly failurePolicy?: 'Fail' | 'Ignore' | undefined
  review(request: AdmissionRequest): Promise<AdmissionResponse>
}

export interface PodLogRequest {
  readonly namespace: string
  readonly name: string
  readonly container?: string | undefined
  readonly follow?: boolean | undefined
  readonly previous?: boolean | undefined
  readonly timestamps?: boolean | undefined
  readonly tailLines?: number | undefined
  readonly sinceSeconds?: number | undefined
  /** RFC 3339 */
  readonly sinceTime?: string | undefined
  readonly limitBytes?: number | undefined
  /** Aborts when the client went away. */
  readonly signal: AbortSignal
}

export type PodLogs = (request: PodLogRequest) => Readable | Promise<Readable>
/** Converts objects of one CRD, in order, to `apiVersion`. Used for CRDs whose conversion strategy is Webhook. */
export type Convert = (objects: readonly AnyObject[], apiVersion: string) => Promise<readonly AnyObject[]>

/** What the verbs work on. */
export interface Api {
  readonly store: Store
  readonly catalog: Catalog
  readonly log: Logger
  readonly hooks: () => readonly AdmissionHook[]
  readonly podLogs: PodLogs | undefined
  readonly decodeMetadata: (object: AnyObject) => void
  /** How often a quiet watch hears a bookmark, in milliseconds: with it the client knows that it is current. */
  readonly bookmarkMs: number
  /** Aborts when the server stops. */
  readonly signal: AbortSignal
}

/** One request to a collection, an object or a subresource. */
export interface ApiRequest {
  readonly method: string
  readonly definition: Definition
  /** `''` when none was given. */
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  readonly query: URLSearchParams
  readonly user: UserInfo
  readonly contentType: string
  /** Default manager of fields: the client's name. */
  readonly agent: string
  readonly payload: Buffer
  /** Texts for Warning headers; the verbs add to it. */
  readonly warnings: string[]
  readonly signal: AbortSignal
}

/** An answer with a JSON body; objects and lists become tables when the client prefers them. */
export interface Reply {
  readonly code: number
  readonly body: unknown
}
