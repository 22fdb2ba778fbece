// The yardstick: our server with a servant that reads what it is asked and answers with the same bytes each time.
import { Config } from '#tars/protocol/ConfigF.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { StatF } from '#tars/protocol/StatF.ts'
import { createServer, encoded } from '#tars/server.ts'
import { answerEach } from './answering.ts'

const interfaces = { QueryF, Config, StatF } as const

export interface EchoQuestion {
  /** `App.Server.Obj` */
  readonly object: string
  readonly interface: keyof typeof interfaces
  /** Of each response. */
  readonly body: Buffer
}

answerEach<EchoQuestion>(async ({ object, interface: name, body }) => {
  const bytes = encoded(Buffer.from(body))
  const servant = Object.fromEntries(Object.keys(interfaces[name].functions).map((func) => [func, () => bytes]))
  const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants: { [object]: { interface: interfaces[name], servant } } }] })
  await server.start()
  return server.endpoints[0]?.port
})
