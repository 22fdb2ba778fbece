// The machines that clusters run on: side by side, and gone with the process that made them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { eventually } from '../rig/kube.ts'
import { Machine } from '../rig/kubernetes/machine.ts'

it('are apart, and each reaches the test', async () => {
  const machines = await Promise.all([Machine.start(), Machine.start()])
  try {
    const [one, other] = machines
    expect(one.address).not.toBe(other.address)
    for (const machine of machines) {
      expect(await machine.run('ip', ['-o', '-4', 'address', 'show', 'dev', 'eth0'])).toContain(`${machine.address}/24`)
      const server = createServer((socket) => socket.end(`hello ${socket.remoteAddress}`)).listen(0, machine.hostAddress)
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      expect(await machine.run('bash', ['-c', `cat < /dev/tcp/${machine.hostAddress}/${port}`])).toBe(`hello ${machine.address}`)
      server.close()
    }
  } finally {
    await Promise.all(machines.map((machine) => machine.stop()))
  }
  for (const { name } of machines) await eventually(() => !existsSync(`/sys/class/net/${name}`), `${name} is gone`)
})

it('end with all that runs on them when the test is killed', async () => {
  const test = spawn(process.execPath, [join(import.meta.dirname, '../rig/kubernetes/machine-process.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: test.stdout }), 'line')) as [string]
  const { name, pid } = JSON.parse(line) as { name: string; pid: number }
  expect([existsSync(`/sys/class/net/${name}`), existsSync(`/proc/${pid}`)]).toEqual([true, true])
  test.kill('SIGKILL')
  await eventually(() => !existsSync(`/proc/${pid}`), 'the program has ended')
  await eventually(() => !existsSync(`/sys/class/net/${name}`), 'the cable is gone')
})

it('name the program that ended too early, with its last words', async () => {
  const machine = await Machine.start()
  try {
    machine.start('talker', 'sh', ['-c', 'echo alas; exit 3'])
    await expect(machine.until('it is ready', async () => false)).rejects.toThrow('talker ended before: it is ready\nalas')
  } finally {
    await machine.stop()
  }
})
