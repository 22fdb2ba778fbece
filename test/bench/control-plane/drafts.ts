import { convertObject } from '#api/convert.ts'
import { inVersion, resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import type { AnyObject, Draft, Resource } from '#kube/types.ts'
import { tarsServer } from '../../controller/fixtures.ts'
import { namespace } from './ground.ts'

export type Version = 'v1beta2' | 'v1beta3'

export const tservers = (version: Version = 'v1beta3'): Resource => inVersion(resources.tservers, version) as Resource

/** A released TServer with two servants, as users send it: Bench.S00042 for 42. */
export function draft(index: number, version: Version = 'v1beta3', replicas = 1): AnyObject {
  const server = `S${String(index).padStart(5, '0')}`
  const servants = [{ name: 'FirstObj', port: 10_001 }, { name: 'SecondObj', port: 10_002 }]
  const { metadata: { uid: _, ...metadata }, ...rest } = tarsServer({ app: 'Bench', server, tars: { template: 'tars.default', servants }, k8s: { replicas } } as never, { name: `bench-${server.toLowerCase()}`, namespace })
  const object = { ...rest, metadata } as TServer
  return (version === 'v1beta3' ? object : convertObject(object, version)) as unknown as AnyObject & Draft
}
