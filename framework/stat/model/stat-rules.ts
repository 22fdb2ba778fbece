// How what is reported of calls comes together (framework-services 6.3). Pure.
import type { FoldRules } from '#store/fold.ts'
import { otherName } from '#store/key-guard.ts'
import type { StatNames } from './record.ts'
import { addValue, joinValues, rowOf } from './value.ts'

const fields: readonly (keyof StatNames)[] = ['master_name', 'slave_name', 'interface_name', 'tars_version', 'master_ip', 'slave_ip', 'slave_port', 'return_value', 'slave_set_name', 'slave_set_area', 'slave_set_id']

/** @param source who gathered: pod of tarsstat */
export function statRules(source: string): FoldRules {
  return {
    fields,
    add: addValue,
    join: joinValues,
    row: (value) => ({ source_id: source, ...rowOf(value) }),
    rest({ master_name: master = '' }, by, admission) {
      const rest = { interface_name: otherName, tars_version: '', master_ip: otherName, slave_ip: otherName, slave_port: 0, return_value: 0, slave_set_name: '', slave_set_area: '', slave_set_id: '' }
      if (admission === 'rest of all') return { ...rest, master_name: otherName, slave_name: otherName }
      // Whatever it calls itself beyond App.Server, what is left of it is one.
      const isMaster = master === by || String(master).startsWith(`${by}.`)
      return isMaster ? { ...rest, master_name: by, slave_name: otherName } : { ...rest, master_name: otherName, slave_name: by }
    },
  }
}
