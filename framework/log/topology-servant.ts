import { Turns } from '#base/turns.ts'
import type { TopologyServant } from '#tars/protocol/Topology.ts'
import { encoded, type Current, type Encoded } from '#tars/server.ts'
import type { TopologyQuestion } from './trace/answers.ts'

export interface TopologyServantOptions {
  /** Has the index answer. */
  readonly answer: (question: TopologyQuestion) => Promise<Uint8Array>
  /** What came is found. */
  readonly flush: () => Promise<unknown>
}

/** `tars.tarslog.TopologyObj` (framework-services 5): traces that are over, by day. One question is worked out at a time, caller after caller. */
export function topologyServant({ answer, flush }: TopologyServantOptions): TopologyServant {
  const turns = new Turns(1)
  const ask = ({ peer }: Current, question: TopologyQuestion): Promise<Encoded> => turns.take(peer.address, async () => {
    const { buffer, byteOffset, length } = await answer(question)
    return encoded(Buffer.from(buffer, byteOffset, length))
  })
  return {
    graphServer: (date, server, current) => ask(current, { func: 'graphServer', args: [date, server] }),
    graphFunction: (date, name, current) => ask(current, { func: 'graphFunction', args: [date, name] }),
    graphTrace: (date, id, current) => flush().then(() => ask(current, { func: 'graphTrace', args: [date, id] })),
    listFunction: (date, server, current) => ask(current, { func: 'listFunction', args: [date, server] }),
    listTrace: (date, server, current) => ask(current, { func: 'listTrace', args: [date, server] }),
    listTraceSummary: (date, begin, end, server, current) => ask(current, { func: 'listTraceSummary', args: [date, begin, end, server] }),
  }
}
