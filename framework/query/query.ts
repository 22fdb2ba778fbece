import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { KubeClient } from '#kube/client.ts'
import { openElasticStore } from '#store/elastic/store.ts'
import { remoteStores, single, type GatheredReader } from '#store/remote.ts'
import { serveStore } from '#store/serve.ts'
import type { Accounts } from '#tars/auth.ts'
import { MonitorQuery, type MonitorQueryServant } from '#tars/protocol/MonitorQuery.ts'
import { serveTars } from '#tars/serve.ts'
import type { Tokens } from '#tars/tokens.ts'
import type { TlsSettings } from '#tars/tls.ts'
import type { Current } from '#tars/server.ts'
import { createAnswerer, type Asker } from './answer.ts'
import type { QueryEnv } from './env.ts'
import { propertyKind, statKind } from './model/kind.ts'
import { watchOwners } from './owners.ts'
import { startTextServer } from './text-server.ts'

export interface QueryOptions extends QueryEnv {
  /** Who may ask. Default: whoever reaches the ports. */
  readonly tokens?: Tokens | undefined
  readonly role: 'querystat' | 'queryproperty'
  readonly client: KubeClient
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  readonly log: Logger
}

export interface RunningQuery extends Running {
  readonly port: number
  readonly textPort: number
  readonly httpPort: number
}

/** Questions wait with the answerer, which knows whose they are, and not before: each takes 64 KB at most there. */
const bounds = { concurrency: 4000, queueCapacity: 500 } as const
/** Questions of a peer that wait: tarsregistry asks one a server of which it weighs the pods. */
const mostOfOwner = 500
/**
 * Questions at once. A pod that keeps rows looks at six of this process in turns (`serveStore`): of one peer fewer are there, so that another's
 * is looked at beside them, as is what its newest rows are.
 */
const atOnce = { pods: { inAll: 6, perOwner: 4, mostOfOwner }, elastic: { inAll: 20, perOwner: 16, mostOfOwner } } as const
const kinds = { querystat: { kind: statKind, owner: 'tarsstat' }, queryproperty: { kind: propertyKind, owner: 'tarsproperty' } } as const

/** Serves MonitorQuery, the text protocol, and `/metrics`. It keeps nothing: it asks the pods that do, or Elasticsearch. */
export async function startQuery({ role, client, namespace, address, port, textPort, httpPort, ownersPort, elastic, tls, accounts, tokens, log }: QueryOptions): Promise<RunningQuery> {
  const { kind, owner } = kinds[role]
  const lifetime = new Lifetime()
  try {
    const reader: GatheredReader = elastic === undefined
      ? remoteStores({ urls: lifetime.own(watchOwners({ client, namespace, server: owner, port: ownersPort, log })).urls })
      : single(openElasticStore({ ...elastic, log }))
    const answerer = createAnswerer({ kind, reader, atOnce: elastic === undefined ? atOnce.pods : atOnce.elastic, log })
    const metrics = (): string => metric(`tars${role}_questions_total`, 'Questions, by what became of them.', Object.entries(answerer.counts).map(([result, count]) => [count, { result }]))
    const http = lifetime.own(await serveStore({ address, port: httpPort, metrics: { '/metrics': metrics }, log }))
    const text = lifetime.own(await startTextServer({ address, port: textPort, answerer, tokens }))
    const servant: MonitorQueryServant = { query: (req, current) => answerer.answer(req, askerOf(current)).then((rsp) => ({ return: 0, rsp })) }
    const [endpoint] = await serveTars({ adapters: [{ ...bounds, endpoint: `tcp -h ${address} -p ${port} -t 60000`, servants: { [`tars.tars${role}.QueryObj`]: { interface: MonitorQuery, servant } }, tokens }], tls, accounts, log }, lifetime)
    const bound = endpoint?.port ?? 0
    log.info('query serves', { role, address, port: bound, text: text.port, http: http.port, store: elastic?.urls ?? owner })
    return Object.assign(lifetime, { port: bound, textPort: text.port, httpPort: http.port })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

const askerOf = (current: Current): Asker => ({
  peer: current.peer.address,
  timeoutMs: current.timeoutMs,
  get gone() {
    return current.gone
  },
})
