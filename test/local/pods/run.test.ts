import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import { isReadyPod, namespace, podOf, podWhen, says, startRig, statusOf } from './rig.ts'
import type { Rig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig?.stop())

test('a pod of a pulled image runs its command as PID 1 of its own namespaces', async () => {
  await rig.client.create(podResource, podOf('first', rig.image, 'echo pid $$$$; hostname; id -u; ls /; ps; trap "exit 0" TERM; echo __; sleep 1000 & wait'))
  const pod = await podWhen(rig.client, 'first', isReadyPod)
  expect(pod?.status?.phase).toBe('Running')
  expect(pod?.status?.conditions?.map(({ type, status, reason, message }) => [type, status, reason, message])).toEqual(['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => [type, 'True', undefined, undefined]))
  expect(pod?.status?.podIP).toMatch(new RegExp(`^${rig.subnet}\\.`))
  expect(statusOf(pod)).toMatchObject({ ready: true, started: true, restartCount: 0, imageID: expect.stringMatching(/@sha256:/) })
  const text = await says(rig, 'first', '__')
  expect(text).toContain('pid 1\nfirst\n0\n')
  expect(text).not.toContain('work')
  expect(readFileSync(rig.runner.hostsFile, 'utf8')).toContain(`${pod?.status?.podIP} first`)
  await rig.client.delete(podResource, { namespace, name: 'first' })
  await podWhen(rig.client, 'first', (gone) => gone === undefined)
})
