import { createAdapterDescriptor, createServerDescriptor, type AdapterDescriptor, type ServerDescriptor } from '#tars/protocol/RegistryDescriptor.ts'

/** A descriptor as JSON text, for the work folder. */
export function descriptorToText({ profile, asyncThreadNum, setdivision, adapters }: ServerDescriptor): string {
  return JSON.stringify({ profile, asyncThreadNum, setdivision, adapters: [...adapters.values()] }, null, 2) + '\n'
}

/** @throws when the text is no descriptor */
export function descriptorFromText(text: string): ServerDescriptor {
  // A file that an older supervisor left has no set.
  const { profile, asyncThreadNum, setdivision = '', adapters } = JSON.parse(text) as { profile?: unknown; asyncThreadNum?: unknown; setdivision?: unknown; adapters?: unknown }
  if (typeof profile !== 'string' || typeof asyncThreadNum !== 'number' || typeof setdivision !== 'string' || !Array.isArray(adapters)) throw new Error('profile, asyncThreadNum or adapters is missing')
  const entries = adapters.map((adapter: Partial<AdapterDescriptor>) => createAdapterDescriptor(adapter))
  return createServerDescriptor({ profile, asyncThreadNum, setdivision, adapters: new Map(entries.map((adapter) => [adapter.adapterName, adapter])) })
}
