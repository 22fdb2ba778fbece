import type { AdminRegServant } from '#tars/protocol/AdminReg.ts'
import { accountFunctions } from './accounts.ts'
import { commandFunctions, commandNode, restartServer, setFlow, verbs } from './commands.ts'
import { deploymentFunctions } from './deployment.ts'
import { leave } from './leaving.ts'
import { logFunctions } from './logs.ts'
import { codes, outcomeOf } from './outcome.ts'
import { place } from './places.ts'
import { queryFunctions } from './queries.ts'
import { patchPercent, release, releaseFunctions } from './releases.ts'
import { Tasks, type TaskActions } from './tasks.ts'
import type { World } from './world.ts'

type Elsewhere = Pick<AdminRegServant, 'reportNode' | 'deleteNode' | 'reportResult' | 'forceDockerLogin' | 'checkDockerRegistry' | 'dockerPull'>

/** What Kubernetes does by itself: nodes need not register, and the kubelet logs in and pulls. */
const elsewhere: Elsewhere = {
  reportNode: () => codes.cannot,
  deleteNode: () => codes.cannot,
  reportResult: () => codes.cannot,
  dockerPull: () => codes.cannot,
  forceDockerLogin: (nodeName) => ({ return: codes.cannot, result: [`${nodeName}: the kubelet logs in by itself; name a pull secret in the release`] }),
  checkDockerRegistry: () => ({ return: codes.cannot, result: 'the kubelet logs in by itself; name a pull secret in the release' }),
}

export interface AdminRegistry {
  /** `tars.tarsAdminRegistry.AdminRegObj` (framework-services 10). */
  readonly servant: AdminRegServant
  readonly tasks: Tasks
}

/** @param signal ends tasks @param drainMs how long callers may go on calling a paused node */
export function adminRegistry(world: World, signal: AbortSignal, drainMs?: number): AdminRegistry {
  const functions = { ...elsewhere, ...queryFunctions(world), ...commandFunctions(world), ...logFunctions(world), ...releaseFunctions(world), ...deploymentFunctions(world), ...accountFunctions(world) }
  const { client, namespace, view } = world
  const command = (verb: 'start' | 'stop'): TaskActions['start'] => ({ application, serverName, nodeName }) => commandNode(world, [application, serverName, nodeName], verbs[verb])
  const tasks = new Tasks({
    start: command('start'), stop: command('stop'),
    restart: ({ application, serverName, nodeName }) => restartServer(world, [application, serverName, nodeName]),
    undeploy: ({ application, serverName, nodeName }) => leave(world, { app: application, server: serverName, node: nodeName }),
    release: ({ application, serverName, nodeName, parameters, userName }) => release(world, { appname: application, servername: serverName, nodename: nodeName, version: parameters.get('patch_id') ?? '', user: userName }),
    progress: async ({ application, serverName, nodeName }) => (await patchPercent(world, { app: application, server: serverName, node: nodeName }, 'running')).tPatchInfo,
    async pause({ application, serverName, nodeName }, active) {
      try {
        await setFlow(client, { namespace, name: place(view, application, serverName, nodeName).pod.name }, active)
        return codes.success
      } catch (error) {
        return outcomeOf(error).return
      }
    },
  }, signal, drainMs)
  return { servant: { ...functions, ...tasks.functions() }, tasks }
}
