// A small Tars server for tests: it sends heartbeats and has an AdminObj. How it misbehaves is said by its environment:
//   BEAT=none|<ms>    heartbeats never, or this often (default 100)
//   ADMIN=ignore      takes AdminF.shutdown and does nothing
//   TERM=ignore       ignores SIGTERM
//   STOP_CODE=<n>     exit code after AdminF.shutdown (default 0)
import { readFileSync } from 'node:fs'
import { Communicator } from '#tars/client.ts'
import { parseConfig } from '#tars/conf.ts'
import { AdminF } from '#tars/protocol/AdminF.ts'
import { ServerF, type ServerFProxy } from '#tars/protocol/NodeF.ts'
import { createServer } from '#tars/server.ts'

const env = process.env
const file = process.argv.map((argument) => /^--config=(.*)$/.exec(argument)?.[1]).find((path) => path !== undefined)
const conf = parseConfig(readFileSync(file ?? '', 'utf8'))
const key = (name: string): string => conf.get(`/tars/application/server<${name}>`, '')

if (env['TERM'] === 'ignore') process.on('SIGTERM', () => console.log('SIGTERM ignored'))
await createServer({
  adapters: [
    {
      endpoint: key('local'),
      servants: {
        AdminObj: {
          interface: AdminF,
          servant: {
            shutdown() {
              console.log('asked to shut down')
              if (env['ADMIN'] !== 'ignore') setTimeout(() => process.exit(Number(env['STOP_CODE'] ?? 0)), 20)
            },
            notify: (command: string) => `did ${command}`,
            getPid: () => BigInt(process.pid),
          },
        },
      },
    },
  ],
}).start()

const node = new Communicator().proxy<ServerFProxy>(ServerF, key('node'))
const beat = (): void => {
  node.keepAlive({ application: key('app'), serverName: key('server'), pid: process.pid, adapter: '' }).catch((error: unknown) => console.log('heartbeat failed', error))
}
console.log(`serving with pid ${process.pid}`)
if (env['BEAT'] !== 'none') {
  beat()
  setInterval(beat, Number(env['BEAT'] ?? 100))
}
