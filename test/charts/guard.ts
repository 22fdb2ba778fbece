// Kubernetes' RBAC in front of the embedded API server, which has none: rules as the chart makes them, and nothing else.
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import type { AnyObject } from '#kube/types.ts'
import type { Rule } from '#kube/access.ts'
import type { KubeConfig } from '#kube/client.ts'

/** What a request wants (Kubernetes, "Authorization overview", request attributes). */
export interface Attributes {
  readonly verb: string
  readonly group: string
  /** With its subresource, as in rules. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
}

/** undefined for paths that are of no resource. */
export function attributesOf(method: string, target: string): Attributes | undefined {
  const { pathname, searchParams } = new URL(target, 'http://api')
  const parts = /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/(.+))?$/.exec(pathname)
  if (parts === null) return undefined
  const [, group = '', namespace = '', plural = '', given = '', sub] = parts
  const name = given === '' ? (/^metadata\.name=([^,]+)$/.exec(searchParams.get('fieldSelector') ?? '')?.[1] ?? '') : given
  return { verb: verbOf(method, given === '', searchParams.has('watch')), group, resource: sub === undefined ? plural : `${plural}/${sub}`, namespace, name }
}

function verbOf(method: string, collection: boolean, watch: boolean): string {
  if (method === 'GET') return watch ? 'watch' : collection ? 'list' : 'get'
  if (method === 'DELETE') return collection ? 'deletecollection' : 'delete'
  return { POST: 'create', PUT: 'update', PATCH: 'patch' }[method] ?? method
}

interface Grant {
  /** Of the rules; undefined: everywhere. */
  readonly namespace: string | undefined
  readonly rules: readonly Rule[]
}

/** What the bindings among objects grant to a ServiceAccount. */
function grantsOf(objects: readonly AnyObject[], account: string, home: string): readonly Grant[] {
  const bound = objects.filter(({ kind, ...object }) => /Binding$/.test(kind) && (object['subjects'] as { name: string; namespace: string }[]).some(({ name, namespace }) => name === account && namespace === home))
  return bound.map(({ kind, metadata, ...binding }) => {
    const role = objects.find((object) => object.kind === binding['roleRef'].kind && object.metadata.name === binding['roleRef'].name)
    return { namespace: kind === 'RoleBinding' ? metadata.namespace : undefined, rules: (role?.['rules'] ?? []) as Rule[] }
  })
}

const allows = (grants: readonly Grant[], { verb, group, resource, namespace, name }: Attributes): boolean =>
  grants.some((grant) => (grant.namespace === undefined || grant.namespace === namespace) && grant.rules.some((rule) =>
    rule.apiGroups.includes(group) && rule.resources.includes(resource) && rule.verbs.some((one) => one === verb) && (rule.resourceNames === undefined || rule.resourceNames.includes(name))))

export interface Guard {
  /** For clients of the account. */
  readonly config: KubeConfig
  /** What was refused, e.g. `patch pods/status in prod`. */
  readonly refused: readonly string[]
  stop(): Promise<void>
}

/** A server that passes on what an account may do, and refuses the rest as Kubernetes does. */
export async function startGuard(api: KubeConfig, objects: readonly AnyObject[], account: string, home: string): Promise<Guard> {
  const grants = grantsOf(objects, account, home)
  const refused: string[] = []
  const agent = new https.Agent({ keepAlive: true, ca: api.ca ?? '' })
  const server = http.createServer((request, response) => {
    const wanted = attributesOf(request.method ?? '', request.url ?? '')
    if (wanted === undefined || allows(grants, wanted)) return forward(request, response, new URL(request.url ?? '/', api.server), agent)
    const what = `${wanted.verb} ${wanted.resource} in ${wanted.namespace}`
    refused.push(what)
    response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Forbidden', code: 403, message: `${account} cannot ${what}` }))
    request.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    config: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: api.token, impersonate: `system:serviceaccount:${home}:${account}` },
    refused,
    async stop() {
      server.closeAllConnections()
      agent.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function forward(request: http.IncomingMessage, response: http.ServerResponse, target: URL, agent: https.Agent): void {
  const outgoing = https.request(target, { agent, method: request.method, headers: { ...request.headers, host: target.host } }, (incoming) => {
    response.writeHead(incoming.statusCode ?? 500, incoming.headers)
    response.flushHeaders()
    incoming.pipe(response)
    incoming.on('error', () => response.destroy())
  })
  outgoing.on('error', () => response.destroy())
  response.on('close', () => outgoing.destroy())
  request.pipe(outgoing)
}
