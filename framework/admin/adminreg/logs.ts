// Logs of services: those in their pods, and those that tarslog keeps (framework-services 10.1).
import type { AdminRegServant } from '#tars/protocol/AdminReg.ts'
import type { LogViewProxy } from '#tars/protocol/LogView.ts'
import { fileAnswer } from './commands.ts'
import { codes, outcomeOf, Refusal } from './outcome.ts'
import { place } from './places.ts'
import { frameworkServers } from './queries.ts'
import type { World } from './world.ts'

type Functions = Pick<AdminRegServant, 'getLogFileList' | 'getLogData'>

/** For which native asks the tarsnode beside tarslog. */
const remote = new Set(['', 'remote'])
const topologies = 'tars.tarslog.TopologyObj@'

export function logFunctions({ view, nodes }: Pick<World, 'view' | 'nodes'>): Functions {
  /** Asks every pod of tarslog, each of which has the logs that it was sent. Those that do not answer hide nothing of the others. */
  const askKeepers = async <T>(ask: (keeper: LogViewProxy) => Promise<T>): Promise<{ readonly answers: readonly T[]; readonly silent: readonly string[] }> => {
    const keepers = frameworkServers(view).filter(({ objName }) => objName.startsWith(topologies))
    if (keepers.length === 0) throw new Refusal(codes.noNode, 'no pod of tars.tarslog is there', 'see why by "tarsk8s status tars.tarslog"')
    const outcomes = await Promise.allSettled(keepers.map(({ objName }) => ask(nodes.logsOf(objName.replace(topologies, 'tars.tarslog.LogViewObj@')))))
    const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const [failed] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
    if (answers.length === 0) throw failed as Error
    return { answers, silent: keepers.flatMap(({ nodeName }, index) => (outcomes[index]?.status === 'rejected' ? [nodeName] : [])) }
  }
  return {
    async getLogFileList(app, server, node) {
      try {
        if (!remote.has(node)) return await nodes.ask(place(view, app, server, node), (proxy, a, s, options) => proxy.getLogFileList(a, s, options))
        const { answers } = await askKeepers((keeper) => keeper.getLogFileList(app, server))
        const found = answers.filter(({ return: code }) => code === codes.success)
        return { return: found.length === 0 ? codes.unknown : codes.success, logFileList: [...new Set(found.flatMap(({ logFileList }) => logFileList))] }
      } catch (error) {
        return { return: outcomeOf(error).return, logFileList: [] }
      }
    },
    getLogData: (app, server, node, file, text) => fileAnswer(async () => {
      if (!remote.has(node)) return nodes.ask(place(view, app, server, node), (proxy, a, s, options) => proxy.getLogData(a, s, file, text, options))
      const { answers, silent } = await askKeepers((keeper) => keeper.getLogData(app, server, file, text))
      const found = answers.filter(({ return: code }) => code === codes.success)
      const missing = silent.map((name) => `(${name} does not answer; what it keeps is not shown)\n`)
      return found.length === 0 ? answers[0] ?? { return: codes.unknown, fileData: '' } : { return: codes.success, fileData: [...found.map(({ fileData }) => fileData), ...missing].join('') }
    }),
  }
}
