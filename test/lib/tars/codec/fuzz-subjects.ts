import { Config, ConfigFSchema } from '#tars/protocol/ConfigF.ts'
import { createNotifyInfo, createNotifyItem, createReportInfo, Notify, NotifyFSchema } from '#tars/protocol/NotifyF.ts'
import { createEndpointF, QueryF, QueryFSchema } from '#tars/protocol/QueryF.ts'
import { createNativeAdapterDescriptor, createNativeServerDescriptor, createServerStateInfo, Registry, RegistrySchema } from '#tars/protocol/Registry.ts'
import { Codecs } from '#tars/idl/codecs.ts'
import type { Schema, Type } from '#tars/idl/schema.ts'

export { Config, ConfigFSchema as ConfigSchema, Notify as NotifyF, QueryF, Registry }

const merged: Schema = {
  structs: Object.assign({}, ...[ConfigFSchema, NotifyFSchema, QueryFSchema, RegistrySchema].map((one) => one.structs)),
  enums: Object.assign({}, ...[NotifyFSchema, RegistrySchema].map((one) => one.enums)),
  constants: {},
  interfaces: {},
}
const codecs = new Codecs(merged)

const filled: Readonly<Record<string, unknown>> = {
  'tars::EndpointF': createEndpointF({ host: '10.1.2.3', port: 17890, timeout: 60000, istcp: 1, setId: 'a.b.c', nodeName: 'node-with-a-long-name' }),
  'tars::ReportInfo': createReportInfo({ sApp: 'Test', sServer: 'Hello', sMessage: 'm'.repeat(300) }),
  'tars::NotifyInfo': createNotifyInfo({ nextpage: 1, notifyItems: [createNotifyItem({ sMessage: 'x' }), createNotifyItem({ iLevel: 2 })] }),
  'tars::ServerStateInfo': createServerStateInfo({ processId: 4711, exState: new Map([['k', 'v']]) }),
  'tars::NativeServerDescriptor': createNativeServerDescriptor({ application: 'Test', adapters: new Map([['a', createNativeAdapterDescriptor({ endpoint: 'tcp -h 1.2.3.4 -p 1' })]]) }),
}

/** A value of a type that exercises its encoding: containers are not empty, texts not all short. */
export function sampleOf(type: Type): unknown {
  if (typeof type === 'string') return type === 'string' ? 'Test.HelloServer.HelloObj' : codecs.of(type).empty()
  if ('vector' in type) return [sampleOf(type.vector), sampleOf(type.vector)]
  if ('map' in type) return new Map([[sampleOf(type.map[0]), sampleOf(type.map[1])]])
  return ('struct' in type ? filled[type.struct] : undefined) ?? codecs.of(type).empty()
}
