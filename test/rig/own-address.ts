let addresses = 0

/**
 * A loopback address that no other test uses: every port is free on it, also one that a program must be told beforehand.
 * Not all programs know it for one of the loopback.
 */
export function ownAddress(): string {
  const number = (process.pid % 65_536) * 64 + (++addresses % 64)
  return `127.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
}
