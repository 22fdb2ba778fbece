import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'
import { parseMirrors } from './oci/mirrors.ts'
import type { RegistryAccess } from './oci/session.ts'
import type { Codec } from './compression/codec.ts'
import { codecs } from './compression/codecs.ts'
import { gzip } from './compression/gzip.ts'
import { defaultLimits, type PackageLimits } from './package/limits.ts'

/** What tarsimage takes from its environment. KUBECONFIG, or the pod's service account, says where the API server is. */
export interface ImageEnv {
  /** `Namespace`: of the TImages and secrets. */
  readonly namespace: string
  /** `PodName`: the handler named in TImage states, and part of every release id. */
  readonly podName: string
  /** `TARSIMAGE_WORKSPACE`: uploads are kept here while they are built. */
  readonly workspace: string
  /** `TARSIMAGE_LISTEN`, else `PodIP`, else every address. */
  readonly host: string
  /** `TARSIMAGE_PORT`. */
  readonly port: number
  /** `TARSIMAGE_SUPERVISOR`: JSON file {path, digest, diffId, size, entrypoint} of the supervisor's layer. */
  readonly supervisor: string
  /** `TARSIMAGE_INSECURE_REGISTRIES`: `host[:port]` list, separated by commas, reached by plain HTTP. */
  readonly insecureRegistries: readonly string[]
  /** `TARSIMAGE_MIRRORS`: `registry=mirror` list, separated by commas: mirrors that base images are looked for in first. */
  readonly mirrors: NonNullable<RegistryAccess['mirrors']>
  /** `TARSIMAGE_CA`: file of PEM certificates that registries are trusted by. */
  readonly caFile: string | undefined
  /** `TARSIMAGE_SILENCE`, seconds: a registry from which nothing comes for so long is given up, and tried again. Milliseconds. */
  readonly silenceMs: number
  /** `TARSIMAGE_MAX_UPLOAD`: bytes of one package. */
  readonly maxUploadBytes: number
  /** `TARSIMAGE_KEEP_UPLOADS`, seconds: an upload of the resource API that no build took with success is kept for so long. Milliseconds. */
  readonly keepUploadsMs: number
  /** `TARSIMAGE_COMPRESSION`, gzip or zstd: of the packages' layers. */
  readonly codec: Codec
  /** `TARSIMAGE_SBOM`, true or false: attach a bill of materials to every image. */
  readonly sbom: boolean
  /** `TARSIMAGE_SIGN_SECRET`: Secret with `cosign.key` and `cosign.password`, as "cosign generate-key-pair k8s://" makes it, to sign every image. */
  readonly signSecret: string
  /** What a package may unpack to; see {@link packageLimits}. */
  readonly limits: Pick<PackageLimits, 'maxUnpackedBytes' | 'maxRatio'>
  /** `TARSIMAGE_CACHE`: bytes of compressed files of earlier builds that are kept in the workspace for the next; 0: none. */
  readonly cacheBytes: number
  /** `TARSIMAGE_BUILDS`: builds at a time. */
  readonly builds: number
  /** `TARSIMAGE_QUEUE`: builds that may wait; more are refused with 429. */
  readonly queue: number
}

const gigabyte = 2 ** 30

const listOf = (text: string): string[] => text.split(',').map((name) => name.trim()).filter((name) => name !== '')

/** @throws ENV_INVALID */
export function imageEnv(env: Environment): ImageEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    podName: read.required('PodName'),
    workspace: read.optional('TARSIMAGE_WORKSPACE', '/workspace'),
    host: read.optional('TARSIMAGE_LISTEN') ?? read.optional('PodIP', '0.0.0.0'),
    port: read.integer('TARSIMAGE_PORT', 80, { min: 0, max: 65535 }),
    supervisor: read.required('TARSIMAGE_SUPERVISOR'),
    insecureRegistries: listOf(read.optional('TARSIMAGE_INSECURE_REGISTRIES', '')),
    mirrors: parseMirrors(listOf(read.optional('TARSIMAGE_MIRRORS', ''))),
    caFile: read.optional('TARSIMAGE_CA'),
    silenceMs: read.integer('TARSIMAGE_SILENCE', 60, { min: 1, max: 3600 }) * 1000,
    maxUploadBytes: read.integer('TARSIMAGE_MAX_UPLOAD', 2 * gigabyte, { min: 1 }),
    keepUploadsMs: read.integer('TARSIMAGE_KEEP_UPLOADS', 86_400, { min: 1 }) * 1000,
    codec: codecs.find(({ name }) => name === read.choice('TARSIMAGE_COMPRESSION', ['gzip', 'zstd'], 'gzip')) ?? gzip,
    sbom: read.boolean('TARSIMAGE_SBOM', false),
    signSecret: read.optional('TARSIMAGE_SIGN_SECRET', ''),
    limits: packageLimits(env),
    cacheBytes: read.integer('TARSIMAGE_CACHE', gigabyte, { min: 0 }),
    builds: read.integer('TARSIMAGE_BUILDS', 5, { min: 1, max: 64 }),
    queue: read.integer('TARSIMAGE_QUEUE', 100, { min: 0, max: 10_000 }),
  })
}

/**
 * `TARSIMAGE_MAX_UNPACKED`: bytes of all files of one package. `TARSIMAGE_MAX_RATIO`: how many times its packed size a
 * package may unpack to. The service and `tarsk8s image build` obey both.
 * @throws ENV_INVALID
 */
export function packageLimits(env: Environment): ImageEnv['limits'] {
  const read = readEnv(env)
  return {
    maxUnpackedBytes: read.integer('TARSIMAGE_MAX_UNPACKED', defaultLimits.maxUnpackedBytes, { min: 1 }),
    maxRatio: read.integer('TARSIMAGE_MAX_RATIO', defaultLimits.maxRatio, { min: 1 }),
  }
}
