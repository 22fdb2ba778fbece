// tarsimage as a role, with an API server, a registry, and a proxy before it that can do harm.
import { writeFile } from 'node:fs/promises'
import { completeFramework } from '#api/default.ts'
import { names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { secrets } from '#kube/resources.ts'
import { imageEnv } from '../../../imagebuilder/env.ts'
import { startImageService, type ImageService } from '../../../imagebuilder/service/service.ts'
import { namespace, startCluster, type TestCluster } from '../../registry/cluster.ts'
import { faultyRegistry, type FaultyRegistry } from '../../rig/faulty-registry.ts'
import { distributionRegistry } from '../../rig/registry.ts'
import { startOciRegistry, workbench, type Workbench } from './image.ts'

const apiVersion = 'k8s.tars.io/v1beta3'
/** The secret that the framework's registry is used with, where it asks for credentials. */
const pushSecret = 'push'

type Settings = Readonly<Record<string, string>>

export interface ServiceBench {
  readonly cluster: TestCluster
  readonly bench: Workbench
  /** host:port of the registry itself. */
  readonly registry: string
  /** What the service uses instead. */
  readonly faulty: FaultyRegistry
  readonly service: ImageService
  /** Of a base image for amd64, through the proxy; TImage `cppbase` has it, too. */
  readonly base: string
  /** Starts one more service on the same cluster, with other settings. The caller stops it. */
  start(env: Settings): Promise<ImageService>
  /** Makes the TImage of a server. */
  timage(name: string): Promise<void>
  read(name: string): Promise<TImage>
  /** Posts the form of the building call. @param by one that {@link start} gave; default: the usual one */
  build(timage: string, fields: Settings, file: Buffer, query?: string, by?: ImageService): Promise<Response>
  stop(): Promise<void>
}

export interface RegistryOptions {
  /** Its files are below `registry` of the bench. */
  readonly kind?: 'ours' | 'docker-registry'
  /** It asks for them; for ours only. */
  readonly credentials?: { readonly username: string; readonly password: string }
}

/** @param env settings besides the usual ones */
export async function serviceBench(env: Settings, { kind = 'ours', credentials }: RegistryOptions = {}): Promise<ServiceBench> {
  const [cluster, bench] = await Promise.all([startCluster(), workbench()])
  const dir = bench.path('registry')
  const registry = kind === 'ours' ? await startOciRegistry({ dir, ...(credentials && { auth: credentials }) }) : await distributionRegistry(dir)
  const faulty = await faultyRegistry(registry.address)
  const base = await bench.base(faulty.address, 'amd64', credentials && { credentials: () => credentials })
  const secret = credentials === undefined ? '' : pushSecret
  if (credentials !== undefined) {
    const config = { auths: { [faulty.address]: { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64') } } }
    await cluster.client.create(secrets, { metadata: { name: secret, namespace }, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') } })
  }
  await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
  await cluster.client.create(resources.tframeworkconfigs, completeFramework({ name: names.framework, namespace }, { imageBuild: { maxBuildTime: 300 }, imageUpload: { registry: `${faulty.address}/tars`, secret }, recordLimit: { timageRelease: 10, texitedPod: 10, tconfigHistory: 10 } }))
  await cluster.client.create(resources.timages, { apiVersion, kind: 'TImage', metadata: { name: 'cppbase', namespace }, imageType: 'base', supportedType: ['cpp', 'go'], releases: [{ id: 'builtin', image: base, secret }] } as TImage)
  const start = (more: Settings): Promise<ImageService> =>
    startImageService(imageEnv({ Namespace: namespace, PodName: 'tars-tarsimage-0', PodIP: '127.0.0.1', TARSIMAGE_PORT: '0', TARSIMAGE_WORKSPACE: bench.path('workspace'), TARSIMAGE_SUPERVISOR: bench.path('supervisor.json'), ...env, ...more }), cluster.client, silentLogger)
  const service = await start({})
  return {
    cluster, bench, registry: registry.address, faulty, service, base, start,
    async timage(name) {
      await cluster.client.create(resources.timages, { apiVersion, kind: 'TImage', metadata: { name, namespace }, imageType: 'server' })
    },
    read: (name) => cluster.client.get<TImage>(resources.timages, { namespace, name }),
    build(timage, fields, file, query = 'wait=true', { url } = service) {
      const form = new FormData()
      for (const [name, value] of Object.entries({ ServerTag: 'v1', Secret: '', BaseImage: base, CreatePerson: 'me', Mark: '', ...fields })) form.set(name, value)
      form.set('ServerFile', new Blob([new Uint8Array(file)]), 'release.package')
      return fetch(`${url}/api/v1beta3/timage/${timage}/building?${query}`, { method: 'POST', body: form })
    },
    async stop() {
      await service.stop()
      await faulty.stop()
      await registry.stop()
      await cluster.stop()
      await bench.clean()
    },
  }
}
