import { array, boolean, integer, object, string } from './builder.ts'
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

