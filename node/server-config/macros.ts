import type { ServerDescriptor } from '#tars/protocol/Registry.ts'
import type { RegistryAddress, Settings } from '../env.ts'
import { SERVER_PORT } from '../layout.ts'

/** What the conf of a service is made of, besides the descriptor. */
export type ConfIdentity = Pick<Settings, 'app' | 'server' | 'podName' | 'listenAddress' | 'paths' | 'localAddress' | 'adminPort'> & { readonly registry: RegistryAddress; readonly serverPort?: number }

/** The value of the key `node`: where the service sends its heartbeats (spec A.5, step 1). */
export const nodeValue = ({ localAddress, serverPort = SERVER_PORT }: ConfIdentity): string => `tars.tarsnode.ServerObj@tcp -h ${localAddress} -p ${serverPort} -t 60000`

/** The text macros of a profile (spec A.5, step 3), and those that the native node has besides. */
export function macrosOf(identity: ConfIdentity, { asyncThreadNum, setdivision }: Pick<ServerDescriptor, 'asyncThreadNum' | 'setdivision'>): Readonly<Record<string, string>> {
  const { app, server, podName, listenAddress, paths, localAddress, adminPort, registry } = identity
  return {
    '${modulename}': `${app}.${server}`,
    '${app}': app,
    '${server}': server,
    '${basepath}': `${paths.binDir}/`,
    '${datapath}': `${paths.dataDir}/`,
    '${logpath}': `${paths.logRoot}/`,
    '${localip}': listenAddress,
    '${locator}': `tars.tarsregistry.QueryObj@tcp -h ${registry.host} -p ${registry.queryPort}${registry.auth === true ? ' -e 1' : ''}`,
    '${local}': `tcp -h ${localAddress} -p ${adminPort} -t 3000`,
    '${asyncthread}': String(asyncThreadNum),
    '${mainclass}': `com.qq.${app.toLowerCase()}.${server.toLowerCase()}.${server}`,
    '${enableset}': setdivision === '' ? 'n' : 'y',
    '${setdivision}': setdivision === '' ? 'NULL' : setdivision,
    '${nodename}': podName,
    '${serverid}': `${app}.${server}_${podName}`,
    '${exe}': `${paths.binDir}/${server}`,
  }
}

/** Plain replacement of every macro; an unknown one stays as it is. */
export function expandMacros(text: string, macros: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{[a-z]+\}/g, (macro) => macros[macro] ?? macro)
}
