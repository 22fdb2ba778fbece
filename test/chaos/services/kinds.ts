import type { RoleKind } from './role.ts'

/** What kinds of servers there are, and how many of each; ports are those of the charts, as each has an address of its own. */
export function roleKinds(documents: string): readonly (readonly [count: number, kind: RoleKind])[] {
  const elastic = { TARSSTORE_NODES: documents }
  return [
    [2, { role: 'registry', server: 'tarsregistry', ports: { query: 17890, registry: 17891 }, httpPort: 17892, diskMb: 4, env: (data) => ({ TARSREGISTRY_DATA: data, TARSREGISTRY_HEALTH_PORT: '17892' }) }],
    [1, { role: 'config', server: 'tarsconfig', ports: { config: 11111 }, httpPort: 11112, diskMb: 4, env: (data) => ({ TARSCONFIG_DATA: data, TARSCONFIG_HEALTH_PORT: '11112' }) }],
    [2, { role: 'stat', server: 'tarsstat', ports: { stat: 17000 }, httpPort: 17001, diskMb: 32, hasWindows: true, env: (data) => ({ TARSSTORE_DATA: data }) }],
    [1, { role: 'property', server: 'tarsproperty', ports: { property: 14000 }, httpPort: 14001, diskMb: 8, hasWindows: true, env: (data) => ({ TARSSTORE_DATA: data, ...elastic }) }],
    [1, { role: 'querystat', server: 'tarsquerystat', ports: { query: 16000 }, httpPort: 16001, env: () => ({}) }],
    [1, { role: 'queryproperty', server: 'tarsqueryproperty', ports: { query: 15000 }, httpPort: 15001, env: () => elastic }],
    [1, { role: 'log', server: 'tarslog', ports: { log: 12111 }, httpPort: 12112, diskMb: 48, env: (data) => ({ TARSLOG_PATH: data, TARSLOG_IPFIX: 'false', TARSLOG_HEALTH_PORT: '12112' }) }],
    [1, { role: 'notify', server: 'tarsnotify', ports: { notify: 13111 }, httpPort: 13112, diskMb: 16, env: (data) => ({ TARSSTORE_DATA: data, TARSNOTIFY_LIMIT: '1:100000' }) }],
  ]
}
