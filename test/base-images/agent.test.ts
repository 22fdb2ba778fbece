import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { AdminF, type AdminFProxy } from '#tars/protocol/AdminF.ts'
import { readSettings } from '../../base-images/nodejs/agent/settings.ts'
import { eventually } from '../rig/eventually.ts'
import { ownAddress } from '../rig/own-address.ts'

const agent = join(import.meta.dirname, '..', '..', 'base-images', 'nodejs', 'agent', 'main.ts')

/** A package folder with a configuration that has these keys of /tars/application/server. */
function pack(keys: readonly string[], files: Readonly<Record<string, string>>): { readonly folder: string; readonly conf: string } {
  const folder = mkdtempSync(join(tmpdir(), 'node-agent-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const conf = join(folder, 'service.conf')
  writeFileSync(conf, `<tars>\n<application>\n<client>\nasyncthread=3\n</client>\n<server>\n${keys.join('\n')}\n</server>\n</application>\n</tars>\n`)
  mkdirSync(join(folder, 'dist'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return { folder, conf }
}

const tells = 'console.log(JSON.stringify({ cwd: process.cwd(), args: process.argv.slice(1), options: process.execArgv, env: process.env.NODE_AGENT_BEAT_MS }))'

/** Runs node-agent until `lines` lines were printed. */
async function printed(folder: string, conf: string, lines: number): Promise<string[]> {
  const running = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', agent, `${folder}/`, '-c', conf], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(running, 'exit')
  onTestFinished(() => void running.kill('SIGKILL'))
  const found: string[] = []
  for await (const line of createInterface(running.stdout)) if (found.push(line) === lines) break
  running.kill('SIGTERM')
  await ended
  return found
}

it.each([
  ['dist/app.cjs', 'node dist/app.cjs --from start', ['--from', 'start']],
  ['app.cjs', undefined, ['--from', 'template']],
])('%s runs in its own folder, with the arguments and options of its package and its template', async (script, start, args) => {
  const { folder, conf } = pack(['instances=1', 'script-args=--from template', 'node-args=--trace-warnings --stack-size=900', 'max-memory-restart=200'], {
    'package.json': JSON.stringify({ main: 'app.cjs', scripts: { start } }), [script]: `${tells}\nsetInterval(() => {}, 1000)`,
  })
  const [told = ''] = await printed(folder, conf, 1)
  expect(JSON.parse(told)).toEqual({
    cwd: join(folder, script, '..'), args: [join(folder, script), ...args],
    options: ['--disable-warning=ExperimentalWarning', '--trace-warnings', '--stack-size=900', '--max-old-space-size=200'],
  })
})

it('a worker whose event loop stands still is replaced, and no other', async () => {
  const { folder, conf } = pack(['instances=1', 'keepalive-time=1'], {
    'app.js': "console.log(process.pid)\nsetTimeout(() => { console.log('goes on'); for (;;); }, 3000)",
  })
  const [first, goesOn, second] = await printed(folder, conf, 3)
  expect(goesOn).toBe('goes on')
  expect(second).toMatch(/^\d+$/)
  expect(second).not.toBe(first)
})

it('answers whether its workers run, and its version, and passes other commands on', async () => {
  const address = ownAddress()
  const { folder, conf } = pack(['instances=2', `local=tcp -h ${address} -p 1000 -t 3000`], {
    'package.json': JSON.stringify({ version: '1.2.3' }),
    'app.js': "process.on('message', ({ cmd, data }) => console.log(`heard ${cmd} ${data}`))",
  })
  const communicator = new Communicator()
  onTestFinished(() => communicator.close())
  const admin = communicator.proxy<AdminFProxy>(AdminF, `AdminObj@tcp -h ${address} -p 1000`)
  const lines = printed(folder, conf, 2)
  await eventually(async () => ((await admin.notify('preheatCheck').catch(() => '')) === 'success' ? true : undefined))
  expect(await admin.notify('tars.viewversion')).toBe('1.2.3')
  // A worker that runs may not listen yet.
  const heard = lines.then(() => true)
  const told = async (): Promise<boolean | undefined> => Promise.race([heard, admin.notify('tars.setloglevel  INFO').then(() => undefined, () => undefined)])
  await eventually(told)
  expect(await lines).toEqual(['heard tars.setloglevel INFO', 'heard tars.setloglevel INFO'])
})

it.each([
  [[], { workers: 3, keepaliveSeconds: 300, nodeArgs: [], scriptArgs: [] }],
  [['instances=max', 'keepalive-time=off'], { workers: availableParallelism(), keepaliveSeconds: 0 }],
  [['keepalive-time=20'], { keepaliveSeconds: 20 }],
])('the template says %j', (keys, settings) => {
  expect(readSettings(['.', '-c', pack(keys, {}).conf])).toMatchObject(settings)
})
