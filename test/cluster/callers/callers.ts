// Who calls a service all the time while its pods are replaced: services of @tars/rpc and TarsJava in their pods, and one by hand.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { build } from 'rolldown'
import { configMaps, pods } from '#kube/resources.ts'
import { Communicator } from '#tars/client.ts'
import { defineInterface } from '#tars/idl/interface.ts'
import { parseTars } from '#tars/idl/parse.ts'
import { helloIdl } from '../../../framework/local/samples/pack.ts'
import type { Answer, Service, TarsCluster } from '../../rig/kubernetes/tars-cluster.ts'
import type { Tally } from './raw-caller.ts'

/** A caller that goes on until it is stopped. */
export interface Caller {
  readonly name: string
  tally(): Promise<Pick<Tally, 'calls' | 'failures'>>
  stop(): Promise<void>
}

const shown = 5
/** How many there are, the first and the last of them; none when there are none. */
export const shortly = (failures: readonly string[]): readonly string[] =>
  failures.length <= 2 * shown ? failures : [`${failures.length} failures`, ...failures.slice(0, shown), '…', ...failures.slice(-shown)]

interface HelloProxy {
  relay(object: string, name: string): Promise<Answer>
}

const pauseMs = 20
const schema = parseTars(helloIdl, readFileSync(helloIdl, 'utf8'), () => ({ file: '', text: '' })).schema
const hello = defineInterface(schema, Object.keys(schema.interfaces)[0] ?? '')

/** Has a service call another one, by its own framework's client and through the registry. */
export async function relaying(tars: TarsCluster, by: Service, object: string): Promise<Caller> {
  const communicator = new Communicator({ timeoutMs: 60_000 })
  const address = (await tars.pod(by))?.status?.podIP ?? ''
  const proxy = communicator.proxy<HelloProxy>(hello, `Demo.${by.server}.HelloObj@tcp -h ${address} -p ${by.port}`)
  const tally = { calls: 0, failures: [] as string[] }
  const ending = new AbortController()
  const running = (async () => {
    while (!ending.signal.aborted) {
      tally.calls++
      const failure = await proxy.relay(object, 'you').then(({ return: code, greeting }) => (code === 0 ? undefined : greeting.text), String)
      if (failure !== undefined) tally.failures.push(`${new Date().toISOString()} ${failure}`)
      await delay(pauseMs)
    }
  })()
  return {
    name: by.server,
    tally: async () => ({ ...tally, failures: [...tally.failures] }),
    stop: async () => {
      ending.abort()
      await running
      await communicator.close()
    },
  }
}

/** A pod that calls over sockets of its own. @param image one with Node */
export async function rawCaller({ cluster: { client, namespace }, control }: TarsCluster, image: string, object: string): Promise<Caller & { tally(): Promise<Tally> }> {
  const { output } = await build({ input: join(import.meta.dirname, 'raw-caller.ts'), platform: 'node', write: false, logLevel: 'warn', output: { format: 'esm', codeSplitting: false } })
  const name = 'raw-caller'
  await client.create(configMaps, { metadata: { namespace, name }, data: { 'caller.mjs': output[0].code } } as never)
  await client.create(pods, {
    metadata: { namespace, name },
    spec: {
      dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
      containers: [{ name, image, command: ['/usr/bin/node', '/caller/caller.mjs', object, 'tars.tarsregistry.QueryObj@tcp -h tars-tarsregistry -p 17890'], volumeMounts: [{ name, mountPath: '/caller' }] }],
      volumes: [{ name, configMap: { name } }],
    },
  } as never)
  const lastLine = async (): Promise<string> => String(await client.raw('GET', `/api/v1/namespaces/${namespace}/pods/${name}/log?tailLines=1`))
  const tally = async (): Promise<Tally> => {
    const line = await lastLine()
    try {
      return JSON.parse(line) as Tally
    } catch {
      throw new Error(`the caller in a pod said: ${line}`)
    }
  }
  await control.machine.until('the caller in a pod calls', async () => (await tally()).calls > 0)
  return { name, tally, stop: async () => void (await client.delete(pods, { namespace, name })) }
}
