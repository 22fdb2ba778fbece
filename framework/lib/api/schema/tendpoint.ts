import { array, boolean, choice, dateTime, integer, object, optional, string } from './builder.ts'
import { hostPort, instance, port, servant } from './ports.ts'
import { release } from './tserver.ts'

// Written by the controller only, from a judged TServer: nothing is validated again.
export const tendpointSpec = object('Copy of what clients and readers of a TServer need.', {
  app: string('Application.'),
  server: string('Server.'),
  variant: optional(string('Which of several TServers of the server.')),
  important: optional(integer('How important it is, for alarms.')),
  subType: string('tars or normal.'),
  tars: optional(object('Tars part.', {
    template: string('TTemplate.'),
    profile: optional(string('Configuration text that overrides the template.')),
    asyncThread: integer('Threads that handle answers.', { default: 3 }),
    servants: array('Interfaces.', servant, { default: [] }),
    ports: optional(array('Further ports.', port)),
    instances: optional(array('Sets, weights, groups and traffic of its pods.', instance)),
    endpointHost: optional(choice('Host of a pod that callers get.', ['dns', 'ip'])),
  })),
  normal: optional(object('Other part.', { ports: array('Further ports.', port, { default: [] }) })),
  hostPorts: optional(array('Ports of the node.', hostPort)),
  release: optional(release),
})

const running = object('Running.', { startedAt: optional(dateTime('Since when.')) })
const waiting = object('Waiting.', { reason: optional(string('Why, in one word.')), message: optional(string('Why.')) })
const terminated = object('Ended.', {
  exitCode: integer('Exit code.'),
  signal: optional(integer('Signal that ended it.')),
  reason: optional(string('Why, in one word.')),
  message: optional(string('Why.')),
  startedAt: optional(dateTime('Since when.')),
  finishedAt: optional(dateTime('Until when.')),
  containerID: optional(string('Id of the container.')),
})
const state = (text: string) => object(text, { running: optional(running), waiting: optional(waiting), terminated: optional(terminated) })

const containerStatus = object('Status of a container, as Kubernetes reports it.', {
  name: string('Name of the container.'),
  image: string('Image it runs.'),
  imageID: string('Digest of the image.'),
  containerID: optional(string('Id of the container.')),
  ready: boolean('Ready.'),
  restartCount: integer('Restarts so far.'),
  started: optional(boolean('Started.')),
  state: optional(state('Now.')),
  lastState: optional(state('Before the last restart.')),
})

export const tendpointStatus = object('The pods and their states.', {
  pods: array('One entry a pod.', object('A pod.', {
    uid: string('UID of the pod.'),
    name: string('Name of the pod.'),
    id: optional(string('Release id it runs.')),
    pid: optional(string('Process id of the service, in the pod.')),
    podIP: optional(string('Address of the pod.')),
    hostIP: optional(string('Address of its node.')),
    startTime: optional(dateTime('When the pod was created.')),
    settingState: string('What it should be: Active or Inactive.'),
    presentState: string('What it is: Active, Activating, Deactivating, Inactive, Terminating, or the reason why it is not up.'),
    presentMessage: optional(string('Why, for people.')),
    containerStatuses: optional(array('Containers.', containerStatus)),
  })),
})
