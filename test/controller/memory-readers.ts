import type { ApiObject } from '#api/types.ts'
import type { KubeObject } from '#kube/types.ts'
import type { Readers } from '../../framework/controller/webhook/types.ts'

/** Readers of a fixed set of objects; selectors of the form `a=b,c=d`. */
export function memoryReaders(objects: readonly ApiObject[]): Readers {
  const of = (kind: string, namespace: string) => objects.filter((object) => object.kind === kind && object.metadata.namespace === namespace)
  return {
    get: async <T extends KubeObject>({ kind }: { kind: string }, namespace: string, name: string) => of(kind, namespace).find(({ metadata }) => metadata.name === name) as T | undefined,
    list: async <T extends KubeObject>({ kind }: { kind: string }, namespace: string, selector = '') => {
      const wanted = selector.split(',').filter((part) => part !== '').map((part) => part.split('='))
      return of(kind, namespace).filter(({ metadata }) => wanted.every(([key = '', value]) => metadata.labels?.[key] === value)) as unknown as T[]
    },
  }
}
