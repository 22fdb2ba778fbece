import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'

/** Names and addresses of a text in the form of /etc/hosts; of a name that comes twice the first counts. */
export function parseHosts(text: string): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [address, ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    for (const name of names) if (address !== undefined && !hosts.has(name)) hosts.set(name, address)
  }
  return hosts
}

/** Resolves names by a hosts file, read anew each time as pods come and go, then as the system does. */
export function hostsResolver(file: string): (host: string) => Promise<string> {
  return async (host) => {
    const known = readHosts(file).get(host)
    return known ?? (await lookup(host)).address
  }
}

function readHosts(file: string): ReadonlyMap<string, string> {
  try {
    return parseHosts(readFileSync(file, 'utf8'))
  } catch {
    return new Map()
  }
}
