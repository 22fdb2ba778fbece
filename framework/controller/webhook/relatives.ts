import { labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import type { Case } from './types.ts'

/** TConfigs with the application and file name of this one. */
export function relatives({ object, namespace, readers }: Case<TConfig>): Promise<readonly TConfig[]> {
  return readers.list(resources.tconfigs, namespace, `${labels.app}=${object.app},${labels.configName}=${object.configName}`)
}
