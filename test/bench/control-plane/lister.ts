// A process that lists, page by page and all kinds at once, what the controller's informers know: the yardstick for its start.
import { labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { daemonSets, persistentVolumeClaims, podDisruptionBudgets, pods, services, statefulSets } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'

const client = kubeClientFrom(process.env)
const ours = `${labels.app},${labels.server}`
const { tservers, tendpoints, texitedrecords, ttrees, tconfigs, timages, taccounts, tframeworkconfigs } = resources
const custom = [tservers, tendpoints, texitedrecords, ttrees, tconfigs, timages, taccounts, tframeworkconfigs].map((resource) => ({ resource: resource as Resource, labelSelector: undefined }))
const builtin = [services, statefulSets, daemonSets, podDisruptionBudgets, pods].map((resource) => ({ resource, labelSelector: ours }))
const claims = { resource: persistentVolumeClaims, labelSelector: `${ours},${labels.localVolume}` }
const lists = await Promise.all([...custom, ...builtin, claims].map(({ resource, labelSelector }) => client.list(resource, { labelSelector })))
console.error(JSON.stringify({ time: new Date().toISOString(), message: 'listed', objects: lists.reduce((sum, { items }) => sum + items.length, 0) }))
process.exit(0)
