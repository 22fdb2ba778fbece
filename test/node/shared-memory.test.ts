// NodeObj.delCache: System V shared memory of a cache, which outlives the service in its pod.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { descriptor, NotingRegistry, pod, removeScratch, supervise } from './rig.ts'

afterAll(removeScratch)

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Makes a segment and stays attached until its input ends; then the segment stays. */
const attach = `
import ctypes, sys
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
key = int(sys.argv[1]) if sys.argv[1].isdigit() else libc.ftok(sys.argv[1].encode(), ord('D'))
segment = libc.shmget(key, 4096, 0o1600)
assert segment >= 0 and libc.shmat(segment, None, 0) not in (None, ctypes.c_void_p(-1).value)
print('attached', flush=True)
sys.stdin.read()
`

it('removes the memory of a key when nobody uses it, of its own server only', async () => {
  const registry = new NotingRegistry(descriptor())
  await registry.start()
  cleanups.push(() => registry.stop())
  const container = pod(registry)
  const space = await supervise(container)
  cleanups.push(() => space.destroy())
  await registry.report(({ present }) => present === 'Active')
  const communicator = new Communicator({ timeoutMs: 60_000 })
  cleanups.push(() => communicator.close())
  const node = communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${container.address} -p 19385`)

  const key = 0x7a000000 + (process.pid % 0xff_ffff)
  const user = spawn('python3', ['-c', attach, String(key)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(user, 'exit')
  cleanups.push(() => void user.kill('SIGKILL'))
  await once(user.stdout, 'data')
  expect(await node.delCache('Test.EchoServer', '', String(key))).toEqual({ return: -1, result: expect.stringContaining('attached') })
  user.stdin.end()
  await ended
  expect(await node.delCache('Test.Other', '', String(key))).toEqual({ return: -1, result: expect.stringContaining('does not exist here') })
  for (const bad of ['0', 'x', '-1', '4294967296']) expect(await node.delCache('Test.EchoServer', '', bad)).toEqual({ return: -1, result: expect.stringContaining('no key') })
  expect(await node.delCache('Test.EchoServer', '', `0x${key.toString(16)}`)).toEqual({ return: 0, result: 'Success: the shared memory is removed' })
  expect(await node.delCache('Test.EchoServer', '', String(key))).toEqual({ return: 0, result: 'Success: there is no shared memory of this key' })

  // As DCache asks by itself: with a path for a backup, which native ignores, and without a key, which then is that of its folder.
  const own = spawn('python3', ['-c', attach, join(container.root, 'usr/local/app/tars/tarsnode/data/Test.EchoServer/bin/')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ownEnded = once(own, 'exit')
  cleanups.push(() => void own.kill('SIGKILL'))
  await once(own.stdout, 'data')
  expect(await node.delCache('Test.EchoServer', '/data/backup', '')).toEqual({ return: -1, result: expect.stringContaining('attached') })
  own.stdin.end()
  await ownEnded
  expect(await node.delCache('Test.EchoServer', '/data/backup', '')).toEqual({ return: 0, result: 'Success: the shared memory is removed' })
  expect(await node.delCache('Test.EchoServer', '/data/backup', '')).toEqual({ return: 0, result: 'Success: there is no shared memory of this key' })
})
