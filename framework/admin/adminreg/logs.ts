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
  /** Every pod of tarslog has the logs that it was sent. */
  const keepers = (): readonly LogViewProxy[] => {
    const objects = frameworkServers(view).filter(({ objName }) => objName.startsWith(topologies)).map(({ objName }) => objName.replace(topologies, 'tars.tarslog.LogViewObj@'))
    if (objects.length === 0) throw new Refusal(codes.noNode, 'no pod of tars.tarslog is there', 'see why by "tarsk8s status tars.tarslog"')
    return objects.map((object) => nodes.logsOf(object))
  }
  return {
    async getLogFileList(app, server, node) {
      try {
        if (!remote.has(node)) return await nodes.ask(place(view, app, server, node), (proxy, a, s, options) => proxy.getLogFileList(a, s, options))
        const lists = await Promise.all(keepers().map((keeper) => keeper.getLogFileList(app, server)))
        const found = lists.filter(({ return: code }) => code === codes.success)
        return { return: found.length === 0 ? codes.unknown : codes.success, logFileList: [...new Set(found.flatMap(({ logFileList }) => logFileList))] }
      } catch (error) {
        return { return: outcomeOf(error).return, logFileList: [] }
      }
    },
    getLogData: (app, server, node, file, text) => fileAnswer(async () => {
      if (!remote.has(node)) return nodes.ask(place(view, app, server, node), (proxy, a, s, options) => proxy.getLogData(a, s, file, text, options))
      const answers = await Promise.all(keepers().map((keeper) => keeper.getLogData(app, server, file, text)))
      const found = answers.filter(({ return: code }) => code === codes.success)
      return found.length === 0 ? answers[0] ?? { return: codes.unknown, fileData: '' } : { return: codes.success, fileData: found.map(({ fileData }) => fileData).join('') }
    }),
  }
}
