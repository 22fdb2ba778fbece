/** Of a name in DNS, and of an object's in Kubernetes, which is one: characters (RFC 1035). */
export const longestDnsName = 253

/** `::ffff:10.0.0.1` → `10.0.0.1`; any other address as it is. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
