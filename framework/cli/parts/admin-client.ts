import { Failure, describe } from '#base/errors.ts'
import type { CommandAnswer, ErrorBody, ServerCommand, ServerList, ServerRow } from '../../admin/contract.ts'

/** tarsadmin's HTTP API, as far as commands need it. */
export interface AdminClient {
  servers(filter?: { readonly app?: string; readonly server?: string; readonly variant?: string }): Promise<ServerList>
  /** Undefined when there is no such server. */
  server(name: string): Promise<ServerRow | undefined>
  command(name: string, command: ServerCommand, pod?: string): Promise<CommandAnswer>
  /** What a pod printed, as it comes. */
  logs(pod: string, options: { readonly follow?: boolean; readonly tail?: number | undefined; readonly previous?: boolean }): Promise<AsyncIterable<Uint8Array>>
}

/** Milliseconds until an answer must have begun. */
const timeoutMs = 30_000

export function adminClient(url: string, signal: AbortSignal): AdminClient {
  const base = url.replace(/\/+$/, '')
  const send = async (method: string, path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<Response> => {
    const search = new URLSearchParams(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()
    const answer = await fetchAnswer(`${base}/api/v1${path}${search === '' ? '' : `?${search}`}`, method, signal)
    if (!answer.ok) throw await refusal(answer)
    return answer
  }
  return {
    servers: async (filter = {}) => (await (await send('GET', '/servers', { ...filter })).json()) as ServerList,
    async server(name) {
      try {
        return (await (await send('GET', `/servers/${encodeURIComponent(name)}`)).json()) as ServerRow
      } catch (error) {
        if (error instanceof Failure && error.code === 'SERVER_UNKNOWN') return undefined
        throw error
      }
    },
    command: async (name, command, pod) => (await (await send('POST', `/servers/${encodeURIComponent(name)}/${command}`, { pod })).json()) as CommandAnswer,
    async logs(pod, { follow, tail, previous }) {
      const query = { follow: follow === true ? 'true' : undefined, previous: previous === true ? 'true' : undefined, tail: tail?.toString() }
      const { body } = await send('GET', `/pods/${encodeURIComponent(pod)}/logs`, query)
      return body ?? (async function* () {})()
    },
  }
}

async function fetchAnswer(url: string, method: string, signal: AbortSignal): Promise<Response> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  try {
    return await fetch(url, { method, signal: AbortSignal.any([signal, late.signal]) })
  } catch (cause) {
    signal.throwIfAborted()
    throw new Failure('ADMIN_UNREACHABLE', `tarsadmin does not answer at ${new URL(url).origin}`, { cause: rootOf(cause), remedy: 'see whether the cluster runs: "tarsk8s up" starts one' })
  } finally {
    clearTimeout(timer)
  }
}

/** fetch wraps the system's error into one that says nothing. */
function rootOf(error: unknown): unknown {
  return error instanceof TypeError && error.cause !== undefined ? error.cause : error
}

async function refusal(answer: Response): Promise<Failure> {
  const text = await answer.text().catch((error: unknown) => describe(error))
  try {
    const { code, message, remedy } = JSON.parse(text) as ErrorBody
    if (typeof code === 'string' && typeof message === 'string') return new Failure(code, message, remedy === undefined ? {} : { remedy })
  } catch {
    // not ours: a proxy answered
  }
  return new Failure('ADMIN_REFUSED', `tarsadmin answered ${answer.status}: ${text.slice(0, 200)}`, { remedy: 'see that --admin-url leads to tarsadmin' })
}
