import type { RegistryAddress, Settings } from '../env.ts'

type Addressed = Pick<Settings, 'type' | 'podIP' | 'localAddress' | 'locatorPort' | 'listenAddress'>

/**
 * The hosts that a service's conf names. The SDK of PHP splits endpoints at every "-": of `tcp -h tars-tarsregistry` it takes
 * `tars` for the host, and the name of a pod for several options. So its conf has addresses alone: the pod's, and for the
 * registry, whose addresses change, one in the pod that leads there.
 */
export function hostsOfConf<S extends Addressed>(settings: S, registry: RegistryAddress): S & { readonly registry: RegistryAddress } {
  if (settings.type !== 'php') return { ...settings, registry }
  return { ...settings, listenAddress: settings.podIP, registry: { ...registry, host: settings.localAddress, queryPort: settings.locatorPort } }
}
