import { setTimeout as pause } from 'node:timers/promises'
import { describe } from '#base/errors.ts'
import type { ChaosPod } from '../pod.ts'
import type { Begun } from '../disturbance.ts'
import type { PodDisturbance } from './pod-disturbance.ts'

const serverName = ['Test', 'EchoServer'] as const
/** Longest wait for the answer to an order that must not be lost, milliseconds. */
const INSIST_MS = 60_000
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

/** The operator wants it to run, and asks until that is answered. @throws when it never is */
async function insist(pod: ChaosPod, name: Command): Promise<string> {
  const deadline = performance.now() + INSIST_MS
  for (;;) {
    try {
      await pod.node[name](...serverName)
      return `${name} was answered`
    } catch (error) {
      if (performance.now() > deadline) throw error
      await pause(100)
    }
  }
}

const once = (name: Command): PodDisturbance => ({
  weight: 1,
  begin: async (pod): Promise<Begun> => ({ did: await command(pod, name) }),
})

export const restart = once('restartServer')
export const start = once('startServer')
export const stop: PodDisturbance = {
  weight: 2,
  lasts: [100, 3_000],
  begin: async (pod) => ({ did: await command(pod, 'stopServer'), undo: () => insist(pod, 'startServer') }),
}
