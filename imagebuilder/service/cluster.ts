import type { KeyObject } from 'node:crypto'
import { names } from '#api/names.ts'
import { currentRelease, usualBase } from '#api/base-image.ts'
import { resources } from '#api/resources.ts'
import type { TFrameworkConfig, TImage, TImageRelease, TServer } from '#api/types.ts'
import { Failure } from '#base/errors.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { secrets } from '#kube/resources.ts'
import { readSigningKey } from '../signing/key.ts'
import { anonymous, parseDockerConfig, type Credentials } from '../oci/auth.ts'
import { parseReference } from '../oci/reference.ts'
import type { ServerType } from '../package/preflight.ts'

/** A base image, and the secret it is pulled with. */
export interface Base {
  readonly image: string
  readonly secret: string
}

/** A server's name; `known`: not only as it was sent. And what its TServer says of its package. */
export interface Spelling {
  readonly server: string
  readonly known: boolean
  /** The script that the profile of its TServer names; empty: none. */
  readonly entrance: string
}

const entranceLine = /^[ \t]*entrance[ \t]*=[ \t]*(\S.*?)[ \t\r]*$/m

/** What a build asks the cluster for, besides its TImage. */
export class ClusterFacts {
  readonly #client: KubeClient
  readonly #namespace: string

  constructor(client: KubeClient, namespace: string) {
    this.#client = client
    this.#namespace = namespace
  }

  /** Registry, limits. @throws FRAMEWORK_CONFIG_MISSING, FRAMEWORK_CONFIG_INVALID */
  async framework(): Promise<TFrameworkConfig> {
    const name = names.framework
    const config = await this.#find(() => this.#client.get<TFrameworkConfig>(resources.tframeworkconfigs, { namespace: this.#namespace, name }))
    if (config === undefined) throw new Failure('FRAMEWORK_CONFIG_MISSING', `there is no TFrameworkConfig ${name} in namespace ${this.#namespace}`, { remedy: 'install the framework, or create it' })
    if (config.imageUpload.registry === '') throw new Failure('FRAMEWORK_CONFIG_INVALID', `TFrameworkConfig ${name}: imageUpload.registry is empty`, { remedy: 'set the registry that images go to' })
    return config
  }

  /** Registry credentials of a Secret; none for an empty name. @throws SECRET_MISSING, REGISTRY_SECRET_INVALID */
  async credentials(name: string): Promise<Credentials> {
    if (name === '') return anonymous
    const secret = await this.#find(() => this.#client.get(secrets, { namespace: this.#namespace, name }))
    if (secret === undefined) throw new Failure('SECRET_MISSING', `there is no Secret ${name} in namespace ${this.#namespace}`, { remedy: 'create it with "kubectl create secret docker-registry"' })
    const data = (secret['data'] ?? {}) as Record<string, string | undefined>
    const config = data['.dockerconfigjson'] ?? data['.dockercfg']
    if (config === undefined) throw new Failure('REGISTRY_SECRET_INVALID', `Secret ${name} has neither .dockerconfigjson nor .dockercfg`, { remedy: 'create it with "kubectl create secret docker-registry"' })
    return parseDockerConfig(Buffer.from(config, 'base64').toString('utf8'), `Secret ${name}`)
  }

  /** The id of the release that a server runs; undefined for one that is not deployed. */
  async deployed(timage: string): Promise<string | undefined> {
    return (await this.#find(() => this.#client.get<TServer>(resources.tservers, { namespace: this.#namespace, name: timage })))?.spec.release?.id
  }

  /** The key of a Secret to sign images with; none for an empty name. @throws SECRET_MISSING, SIGNING_KEY_INVALID */
  async signingKey(name: string): Promise<{ signingKey?: KeyObject }> {
    if (name === '') return {}
    const secret = await this.#find(() => this.#client.get(secrets, { namespace: this.#namespace, name }))
    const data = (secret?.['data'] ?? {}) as Record<string, string | undefined>
    if (data['cosign.key'] === undefined) throw new Failure('SECRET_MISSING', `there is no Secret ${name} with cosign.key in namespace ${this.#namespace}`, { remedy: 'create it with "cosign generate-key-pair k8s://<namespace>/<name>"' })
    const [key, password] = [data['cosign.key'], data['cosign.password'] ?? ''].map((text) => Buffer.from(text, 'base64').toString('utf8')) as [string, string]
    return { signingKey: await readSigningKey(key, password) }
  }

  /**
   * The base image that a request means: a reference, the name of a base TImage (its default or newest release), or, when
   * empty, the usual one of the server type.
   * @throws BASE_IMAGE_MISSING, BASE_IMAGE_TYPE, IMAGE_REFERENCE_INVALID
   */
  async base(asked: string, secret: string, serverType?: ServerType): Promise<Base> {
    if (asked === '' && serverType !== undefined) return this.#chooseBase(serverType)
    if (/[/:@]/.test(asked)) {
      parseReference(asked)
      return { image: asked, secret }
    }
    const image = await this.#find(() => this.#client.get<TImage>(resources.timages, { namespace: this.#namespace, name: asked }))
    if (image === undefined || image.imageType !== 'base') throw new Failure('BASE_IMAGE_MISSING', `"${asked}" is neither an image reference nor a TImage of type base`, { remedy: 'send a reference with its registry, or the name of a base TImage' })
    if (serverType !== undefined && image.supportedType !== undefined && !image.supportedType.includes(serverType)) {
      throw new Failure('BASE_IMAGE_TYPE', `base image ${asked} carries ${image.supportedType.join(', ')}, and not ${serverType}`, { remedy: 'choose a base image for this type' })
    }
    const found = releaseOf(image)
    return secret === '' ? found : { ...found, secret }
  }

  /**
   * The server's name as its TServer spells it, else as the uploaded jar does: the web sends names in lower case, and
   * tarsnode looks for the file by the true one.
   */
  async spelled(timage: string, server: string, filename: string): Promise<Spelling> {
    const found = await this.#find(() => this.#client.get<TServer>(resources.tservers, { namespace: this.#namespace, name: timage }))
    const stem = filename.replace(/\.[A-Za-z]+$/, '')
    const spelling = [found?.spec.server, stem].find((name) => name?.toLowerCase() === server.toLowerCase())
    return { server: spelling ?? server, known: spelling !== undefined, entrance: entranceLine.exec(found?.spec.tars?.profile ?? '')?.[1] ?? '' }
  }

  async #chooseBase(serverType: ServerType): Promise<Base> {
    const { items } = await this.#client.list<TImage>(resources.timages, { namespace: this.#namespace })
    const found = usualBase(items, serverType)
    if (found === undefined) throw new Failure('BASE_IMAGE_MISSING', `no TImage of type base supports ${serverType}`, { remedy: 'send BaseImage, or create a base TImage with this supportedType' })
    return baseOf(found)
  }

  async #find<T>(get: () => Promise<T>): Promise<T | undefined> {
    try {
      return await get()
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}

function releaseOf(image: TImage): Base {
  const release = currentRelease(image)
  if (release === undefined) throw new Failure('BASE_IMAGE_MISSING', `TImage ${image.metadata.name} has no release`, { remedy: 'add a release with the base image' })
  return baseOf(release)
}

const baseOf = ({ image, secret = '' }: TImageRelease): Base => ({ image, secret })
