// The datasets of the framework; names of fields are those of K8SFramework's documents (framework-services 6.3, 7, 9).
import type { Dataset, Field } from './dataset.ts'

const keyword: Field = { type: 'keyword' }
const integer: Field = { type: 'integer' }
const number: Field = { type: 'number' }

/** When a window ended: seconds since the epoch, and the local day and minute, as `minuteOf` says them. */
const window = { f_timestamp: integer, f_date: keyword, f_tflag: keyword }

/** Calls between services, a row a window and key. */
export const statDataset: Dataset = {
  name: 'stat',
  index: 'daily',
  order: 'f_tflag',
  fields: {
    ...window,
    source_id: keyword, master_name: keyword, slave_name: keyword, interface_name: keyword, tars_version: keyword, master_ip: keyword, slave_ip: keyword,
    slave_port: integer, return_value: integer, slave_set_name: keyword, slave_set_area: keyword, slave_set_id: keyword,
    succ_count: integer, timeout_count: integer, exce_count: integer, total_count: integer, total_time: integer,
    ave_time: integer, maxrsp_time: integer, minrsp_time: integer, interv_count: keyword,
  },
}

/** Values that services measure of themselves, a row a window, key and policy; of Distr, and a bucket. */
export const propertyDataset: Dataset = {
  name: 'property',
  index: 'daily',
  order: 'f_tflag',
  fields: {
    ...window,
    source_id: keyword, master_name: keyword, master_ip: keyword, property_name: keyword, set_name: keyword, set_area: keyword, set_id: keyword,
    policy: keyword, bucket: keyword, value: number, total: number, weight: integer,
  },
}

/** Events of Kubernetes, a document a version of each. */
export const keventDataset: Dataset = {
  name: 'kevent',
  index: 'stream',
  order: 'time',
  fields: {
    time: { type: 'integer', path: '@timestamp' },
    kind: { type: 'keyword', path: 'involvedObject.kind.keyword' },
    name: { type: 'keyword', path: 'involvedObject.name.keyword' },
    namespace: { type: 'keyword', path: 'involvedObject.namespace.keyword' },
    type: { type: 'keyword', path: 'type.keyword' },
    reason: { type: 'keyword', path: 'reason.keyword' },
  },
}

/** Notifications of services; documents are K8SFramework's (framework-services 3.3), with the set and container added. */
export const notifyDataset: Dataset = {
  name: 'notify',
  index: 'stream',
  order: 'time',
  fields: {
    time: { type: 'integer', path: '@timestamp' },
    app: { type: 'keyword', path: 'app.keyword' },
    server: { type: 'keyword', path: 'server.keyword' },
    node: { type: 'keyword', path: 'podName.keyword' },
  },
}
