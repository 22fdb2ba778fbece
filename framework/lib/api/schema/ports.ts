import { array, boolean, choice, integer, object, optional, string } from './builder.ts'
import { limits, patterns } from './patterns.ts'
import { compared, hostPortsRules, portsRules, withRules } from './rules.ts'

/** One interface of a tars server, as its users address it: `App.Server.<name>`. */
export const servant = object('An interface that the server offers.', {
  name: string('Last part of the object name, e.g. "HelloObj" in App.Server.HelloObj.', { pattern: patterns.servant, maxLength: limits.name }),
  port: integer('Port it listens on, in the pod.', { minimum: 1, maximum: 65535 }),
  thread: integer('Threads that handle calls.', { minimum: 1, maximum: 99, default: 3 }),
  capacity: integer('Calls that may wait in the queue.', { minimum: 1, maximum: 3_000_000, default: 10_000 }),
  connection: integer('Connections that may be open at once.', { minimum: 1, maximum: 3_000_000, default: 10_000 }),
  timeout: integer('Milliseconds a call may wait in the queue.', { minimum: -1, maximum: 6_000_000, default: 60_000 }),
  isTars: boolean('Speaks the Tars protocol.', true),
  isTcp: boolean('TCP when true, UDP when false.', true),
  // From here on not in the reference: what a native endpoint says by -w, -v, ssl, -e and -q.
  weightType: optional(choice('How callers choose among the pods. loop: in turn. static: by weight. dynamic: by the load that tarsstat reports.', ['loop', 'static', 'dynamic'])),
  weight: optional(integer('Share of the calls that a pod gets, in comparison; 100 when nothing is said.', { minimum: 0, maximum: 100 })),
  isSsl: optional(boolean('Speaks TLS.')),
  auth: optional(boolean('Callers must authenticate.')),
  qos: optional(integer('Type of service of its packets.', { minimum: 0, maximum: 255 })),
})

/** What holds for some pods of a server, or for all: what native keeps in the rows of its nodes (framework-services spec 1.2 to 1.4). */
export const instance = object('What holds for some of its pods. Of several entries for a pod the later one wins, field by field.', {
  pods: optional(string('Numbers of the pods, e.g. "0-3,7"; without it, all pods.', { pattern: patterns.ordinals, maxLength: limits.object })),
  set: optional(string('Set that they belong to, name.area.group; the group "*" serves all groups of name.area. A service learns of it when it starts.', { pattern: patterns.set, maxLength: limits.name })),
  weight: optional(integer('Weight of each of their endpoints; see servants.', { minimum: 0, maximum: 100 })),
  flow: optional(choice('inactive: callers are not sent there.', ['active', 'inactive'])),
  backup: optional(boolean('In no endpoint list at all, as native has it with bak_flag.')),
  group: optional(string('Group that they count as in; else their address and node decide, see TFrameworkConfig.topology.', { pattern: patterns.labelValue, maxLength: limits.name })),
  enableGroup: optional(boolean('Callers of the same group are sent there first, and others only for want of better. Default: that of TFrameworkConfig.topology.')),
})

export const port = object('A port that is not a Tars servant.', {
  name: string('Name of the port, unique in the server.', { pattern: patterns.portName, maxLength: limits.portName }),
  port: integer('Port it listens on, in the pod.', { minimum: 1, maximum: 65535 }),
  isTcp: boolean('TCP when true, UDP when false.', true),
})

export const ports = (kind: 'tars' | 'normal', rules: { readonly default?: readonly never[] } = {}) => withRules(array('Further ports.', port, { ...compared, ...rules }), ...portsRules(kind))

export const hostPort = object('A port on the node.', {
  nameRef: string('Name of the servant or port it leads to; case does not matter.', { pattern: patterns.name, maxLength: limits.name }),
  port: integer('Port on the node.', { minimum: 1, maximum: 65535 }),
})

export const hostPorts = withRules(
  array('Ports that are also opened on the node. A pod with any of these shares no node with another of its server.', hostPort, compared), ...hostPortsRules)

