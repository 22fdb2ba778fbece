// The fields of built-in kinds: in step with the published types, and unknown or mistyped ones refused.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pods, statefulSets } from '#kube/resources.ts'
import { fieldTable, renderTable } from '../../../framework/local/apiserver/builtin/generate-fields.ts'
import { behaviourCluster } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  namespace = await cluster.namespace()
})
afterAll(() => cluster.stop())

const pod = (container: object, extra: object = {}) => ({ metadata: { name: 'p', namespace }, spec: { containers: [{ name: 'c', image: 'x', ...container }], ...extra } }) as never

describe('fields of built-in kinds', () => {
  it('are in step with kubernetes-types', () => {
    const types = dirname(fileURLToPath(import.meta.resolve('kubernetes-types/package.json')))
    const path = join(import.meta.dirname, '../../../framework/local/apiserver/builtin/fields.json')
    expect(readFileSync(path, 'utf8'), 'run: node framework/local/apiserver/builtin/generate-fields.ts').toBe(renderTable(fieldTable(types)))
  })
  it('are dropped with a warning when unknown, and refuse the object when strict', async () => {
    const made = await cluster.client.create(pods, pod({ imagee: 'x' }, { conatiners: [] }), { dryRun: true })
    expect(made['spec']).not.toHaveProperty('conatiners')
    expect(made['spec'].containers[0]).not.toHaveProperty('imagee')
    const refused = await cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'typo' }, spec: { containers: [{ name: 'c', image: 'x', imagee: 'y' }] } }) })
    expect(refused.stderr).toContain('unknown field "spec.containers[0].imagee"')
  })
  it('must have the right type', async () => {
    await expect(cluster.client.create(pods, pod({ ports: [{ containerPort: 'eighty' }] }))).rejects.toMatchObject({ status: 400, message: expect.stringContaining('cannot be handled as a Pod') as string })
  })
  it('count as absent when null', async () => {
    const template = { metadata: { creationTimestamp: null, labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x', env: null }], nodeSelector: null } }
    const made = await cluster.client.create(statefulSets, { metadata: { name: 's', namespace }, spec: { serviceName: 's', replicas: 0, selector: { matchLabels: { a: 'b' } }, template } } as never)
    expect(made['spec'].template.spec).not.toHaveProperty('nodeSelector')
  })
  it('take quantities as strings and numbers, and ports as names', async () => {
    const container = { resources: { limits: { cpu: 0.5, memory: '1Gi' } }, livenessProbe: { httpGet: { port: 'web', path: '/' } }, ports: [{ name: 'web', containerPort: 80 }] }
    const made = await cluster.client.create(pods, pod(container), { dryRun: true })
    expect(made['spec'].containers[0]).toMatchObject({ livenessProbe: { httpGet: { port: 'web' } } })
  })
  it('are explained by kubectl', async () => {
    expect((await cluster.kubectl(['explain', 'statefulset.spec.template.spec.containers.env'])).stdout).toContain('valueFrom')
  })
})
