import { createAdapterDescriptor, createServerDescriptor, type AdapterDescriptor, type ServerDescriptor } from '#tars/protocol/RegistryDescriptor.ts'

/** A descriptor as JSON text, for the work folder. */
export function descriptorToText({ profile, asyncThreadNum, adapters }: ServerDescriptor): string {
  return JSON.stringify({ profile, asyncThreadNum, adapters: [...adapters.values()] }, null, 2) + '\n'
}

/** @throws when the text is no descriptor */
export function descriptorFromText(text: string): ServerDescriptor {
  const { profile, asyncThreadNum, adapters } = JSON.parse(text) as { profile?: unknown; asyncThreadNum?: unknown; adapters?: unknown }
  if (typeof profile !== 'string' || typeof asyncThreadNum !== 'number' || !Array.isArray(adapters)) throw new Error('profile, asyncThreadNum or adapters is missing')
  const entries = adapters.map((adapter: Partial<AdapterDescriptor>) => createAdapterDescriptor(adapter))
  return createServerDescriptor({ profile, asyncThreadNum, adapters: new Map(entries.map((adapter) => [adapter.adapterName, adapter])) })
}
