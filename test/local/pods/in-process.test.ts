import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Environment, Role } from '#base/lifecycle.ts'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import type { Pod } from '../../../framework/local/pods/kinds.ts'
import { isReadyPod, logOf, namespace, podOf, podWhen, startRig, statusOf } from './rig.ts'
import type { Rig } from './rig.ts'

let rig: Rig
const seen: Environment[] = []
const stopped: string[] = []
const gates = { slow: Promise.withResolvers<void>(), doomed: Promise.withResolvers<void>() }

function role(name: string, ready: Promise<void> = Promise.resolve(), done: Promise<void> = new Promise(() => {})): Role {
  return async ({ env, log }) => {
    seen.push(env)
    await ready
    log.info(`${name} serves`)
    return { done, stop: async () => void stopped.push(name) }
  }
}

beforeAll(async () => {
  rig = await startRig({ inProcess: { quick: role('quick'), other: role('other'), slow: role('slow', gates.slow.promise), doomed: role('doomed', undefined, gates.doomed.promise) } })
})
afterAll(() => rig?.stop())

const rolePod = (name: string, roles: string): Pod => podOf(name, 'tarsk8s:local', '', {
  container: { command: ['tarsk8s', roles], env: [{ name: 'Setting', value: 'a' }] },
  spec: { readinessGates: [{ conditionType: 'tars.io/active' }] },
})
const gone = async (name: string) => {
  await rig.client.delete(podResource, { namespace, name })
  await podWhen(rig.client, name, (pod) => pod === undefined)
}

test('roles run inside this process with the pod as their environment; the pod is ready when all serve', async () => {
  await rig.client.create(podResource, rolePod('framework', 'quick,other'))
  const pod = await podWhen(rig.client, 'framework', isReadyPod)
  expect(pod?.status?.conditions?.find(({ type }) => type === 'tars.io/active')).toMatchObject({ status: 'True', reason: `Active/Active/${process.pid}` })
  expect(seen.at(-1)).toMatchObject({ PodName: 'framework', Namespace: 'tars', PodIP: pod?.status?.podIP, Setting: 'a' })
  expect(await logOf(rig, 'framework')).toContain('quick serves')
  stopped.length = 0
  await gone('framework')
  expect(stopped).toEqual(['other', 'quick'])
})

test('a role that takes its time is not ready before; it is not ready after it broke, and is started again', async () => {
  await rig.client.create(podResource, rolePod('slow', 'slow'))
  const waiting = await podWhen(rig.client, 'slow', (pod) => pod?.status?.conditions?.some(({ type, status }) => type === 'tars.io/active' && status === 'False') === true)
  expect(isReadyPod(waiting)).toBe(false)
  gates.slow.resolve()
  await podWhen(rig.client, 'slow', isReadyPod)
  await gone('slow')

  await rig.client.create(podResource, rolePod('doomed', 'doomed'))
  await podWhen(rig.client, 'doomed', isReadyPod)
  gates.doomed.reject(new Error('the database went away'))
  const pod = await podWhen(rig.client, 'doomed', (found) => statusOf(found)?.state.waiting?.reason === 'CrashLoopBackOff')
  expect(statusOf(pod)?.lastState.terminated).toMatchObject({ exitCode: 1, message: 'doomed: the database went away' })
  expect(isReadyPod(pod)).toBe(false)
  await gone('doomed')
})

test('a role that does not exist is named', async () => {
  await rig.client.create(podResource, rolePod('unknown', 'registri'))
  const pod = await podWhen(rig.client, 'unknown', (found) => statusOf(found)?.state.waiting?.reason === 'CreateContainerConfigError')
  expect(statusOf(pod)?.state.waiting?.message).toMatch(/no role "registri".*quick, other/)
  await gone('unknown')
})
