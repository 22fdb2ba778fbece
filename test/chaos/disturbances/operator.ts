import { describe } from '#base/errors.ts'
import type { ChaosPod } from '../pod.ts'
import type { Begun, Disturbance } from '../disturbance.ts'

export const serverName = ['Test', 'EchoServer'] as const
type Command = 'startServer' | 'stopServer' | 'restartServer'

/** A command whose answer may be late or missing, because other disturbances are under way. */
async function command({ node }: ChaosPod, name: Command): Promise<string> {
  try {
    const { return: code, result } = await node[name](...serverName)
    return `${name} answered ${code} ${result}`.trim()
  } catch (error) {
    return `${name} was not answered: ${describe(error)}`
  }
}

const once = (name: Command): Disturbance => ({
  weight: 1,
  begin: async (pod): Promise<Begun> => ({ did: await command(pod, name) }),
})

export const restart = once('restartServer')
export const start = once('startServer')
export const stop: Disturbance = {
  weight: 2,
  lasts: [100, 3_000],
  begin: async (pod) => ({ did: await command(pod, 'stopServer'), undo: () => command(pod, 'startServer') }),
}
