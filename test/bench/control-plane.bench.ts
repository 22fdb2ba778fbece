// `npm run bench control-plane [-- webhook one thousand huge]`: the controller as its own process against a real kube-apiserver, whose own speed in the same run is the yardstick.
import { webhook } from './control-plane/webhook.ts'
import { huge } from './control-plane/huge.ts'
import { one } from './control-plane/one.ts'
import { thousand } from './control-plane/thousand.ts'
import type { Goal } from './goal.ts'
import { runParts } from './parts.ts'

const parts = { webhook, one, thousand, huge }

export default (note: (line: string) => void, chosen: readonly string[]): Promise<readonly Goal[]> => runParts(parts, note, chosen)
