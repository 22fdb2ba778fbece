// tarsconfig: what a load of a file of 10 KB costs.
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { Writer } from '#tars/codec/writer.ts'
import { encodeRequest, version } from '#tars/packet.ts'
import { Config } from '#tars/protocol/ConfigF.ts'
import type { Goal } from '../goal.ts'
import { namespace, startCluster, type Cluster } from './cluster.ts'
import { contend, cpuOfAnswers, cpuRatios, startEcho } from './contender.ts'
import { firstId } from './load.ts'
import { serverOf } from './population.ts'
import { startRole } from './role.ts'

const object = 'tars.tarsconfig.ConfigObj'
const file = 'server.conf'
const servers = 100
const bytes = 10 * 1024
const rounds = 9

/** A file of lines as services have them, of 10 KB to the byte. */
function content(index: number): string {
  const lines = Array.from({ length: bytes / 32 }, (_, line) => `key-${String(index).padStart(4, '0')}-${String(line).padStart(4, '0')} = some value\n`)
  return lines.join('').slice(0, bytes - 1).padEnd(bytes, '\n')
}

async function fill({ client }: Cluster): Promise<void> {
  for (let index = 0; index < servers; index++) {
    await client.create(resources.tconfigs, {
      apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name: `config-${index}`, namespace },
      app: 'Bench', server: serverOf(index), set: '', podSeq: 'm', configName: file, version: 'v1', configContent: content(index), activated: true,
    } as unknown as TConfig)
  }
}

function requests(): Buffer[] {
  return Array.from({ length: servers }, (_, index) => {
    const body = new Writer()
    Config.functions['loadConfig']?.writeArgs(body, ['Bench', serverOf(index), file])
    return encodeRequest({ version: version.tars, requestId: firstId + index, servant: object, func: 'loadConfig', body: body.bytes() })
  })
}

/** What a load costs. */
export async function config(note: (line: string) => void): Promise<readonly Goal[]> {
  const cluster = await startCluster()
  await fill(cluster)
  const role = await startRole({ cluster, role: 'config', env: { TARSCONFIG_PORT: '0', TARSCONFIG_DATA: `${cluster.folder}/config` } })
  const body = new Writer()
  Config.functions['loadConfig']?.writeResult(body, { return: 0, config: content(42) })
  const all = requests()
  const ours = await contend({ name: 'config', pid: role.pid, host: role.address, port: role.serves['port'] as number, stop: () => role.stop() }, all)
  const echo = await contend(await startEcho({ object, interface: 'Config', body: body.bytes() }), all)
  try {
    const [own, bare] = await cpuOfAnswers([ours, echo], rounds, note)
    return [{ what: 'loadConfig of 10 KB, CPU an answer, config ÷ bare echo of the same bytes', samples: cpuRatios(own, bare), bar: 1.2, rule: 'most', unit: '×' }]
  } finally {
    await Promise.all([ours.stop(), echo.stop()])
    await cluster.stop()
  }
}
