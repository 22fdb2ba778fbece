import { get } from 'node:http'
import type { CommandIo } from '#base/command-io.ts'
import { Failure } from '#base/errors.ts'
import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'
import type { statusOf } from '../eyes/eyes.ts'
import { HTTP_PORT } from '../layout.ts'
import { exitReport } from '../service/history.ts'

const usage = `usage: tarsk8s node status [--json]

What the supervisor of this container knows of its service. Exit codes: 0 active, 1 not active or not to be asked, 2 wrong usage.
`

type Status = ReturnType<typeof statusOf>

/** Longest wait for the supervisor, milliseconds. */
const ANSWER_MS = 3_000

export async function run(args: readonly string[], { out, err, env }: CommandIo): Promise<number> {
  const asked = args.includes('--help')
  if (asked || args.some((arg) => arg !== '--json')) {
    ;(asked ? out : err).write(usage)
    return asked ? 0 : 2
  }
  const status = await fetchStatus(env)
  out.write(args.includes('--json') ? `${JSON.stringify(status)}\n` : tableOf(status))
  return status.setting === 'Active' && status.present === 'Active' ? 0 : 1
}

/** Asks the supervisor of this container. @throws Failure NODE_SILENT */
export async function fetchStatus(env: Environment): Promise<Status> {
  const read = readEnv(env)
  const url = `http://${read.optional('TARSNODE_LOCAL_ADDRESS', '127.0.0.1')}:${read.integer('TARSNODE_HTTP_PORT', HTTP_PORT, { min: 1, max: 65_535 })}/status`
  const text = await fetchText(url).catch((cause: unknown) => {
    throw new Failure('NODE_SILENT', `no tarsnode answers at ${url}`, { cause, remedy: 'run this in the container of a service; "kubectl logs" says whether its tarsnode runs' })
  })
  return JSON.parse(text) as Status
}

/** Not fetch(): it brings an HTTP client that is larger than this whole program. */
function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { timeout: ANSWER_MS, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => resolve(text)).on('error', reject)
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`))).on('error', reject)
  })
}

function tableOf(status: Status): string {
  const { server, pod, setting, present, state, since, pid, restarts, lastExit, message, crashLoop, crashesInRow, heartbeats, lostLines } = status
  const rows: readonly (readonly [string, string])[] = [
    ['server', `${server} in ${pod}`],
    ['state', `${setting}/${present} (${state} since ${since})`],
    ['process', pid === 0 ? 'none' : `pid ${pid}`],
    ['restarts', `${restarts}${crashLoop ? `, in a crash loop: ${crashesInRow} in a row` : ''}`],
    ['last exit', lastExit === null ? 'none' : exitReport(lastExit)],
    ...heartbeats.map(({ adapter, ageMs }) => ['heartbeat', `${(ageMs / 1000).toFixed(1)} s ago  ${adapter}`] as const),
    ['lost output', `${lostLines} lines`],
    ['message', message === '' ? '-' : message],
  ]
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join('')
}
