import { Failure } from '#base/errors.ts'
import type { SecurityContext } from '../kinds.ts'

/** Numbers of linux/capability.h. */
const numbers: Readonly<Record<string, number>> = {
  CHOWN: 0, DAC_OVERRIDE: 1, DAC_READ_SEARCH: 2, FOWNER: 3, FSETID: 4, KILL: 5, SETGID: 6, SETUID: 7, SETPCAP: 8, LINUX_IMMUTABLE: 9,
  NET_BIND_SERVICE: 10, NET_BROADCAST: 11, NET_ADMIN: 12, NET_RAW: 13, IPC_LOCK: 14, IPC_OWNER: 15, SYS_MODULE: 16, SYS_RAWIO: 17,
  SYS_CHROOT: 18, SYS_PTRACE: 19, SYS_PACCT: 20, SYS_ADMIN: 21, SYS_BOOT: 22, SYS_NICE: 23, SYS_RESOURCE: 24, SYS_TIME: 25,
  SYS_TTY_CONFIG: 26, MKNOD: 27, LEASE: 28, AUDIT_WRITE: 29, AUDIT_CONTROL: 30, SETFCAP: 31, MAC_OVERRIDE: 32, MAC_ADMIN: 33,
  SYSLOG: 34, WAKE_ALARM: 35, BLOCK_SUSPEND: 36, AUDIT_READ: 37, PERFMON: 38, BPF: 39, CHECKPOINT_RESTORE: 40,
}

/** What container engines leave a container by default: enough for services, nothing that changes the machine. */
const usual = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'NET_BIND_SERVICE', 'NET_RAW', 'SYS_CHROOT', 'MKNOD', 'AUDIT_WRITE', 'SETFCAP']

/**
 * Capability numbers that a container keeps, or null for all (privileged).
 * @throws CONTAINER_CONFIG for a name that does not exist
 */
export function keptCapabilities(context: SecurityContext | undefined): readonly number[] | null {
  if (context?.privileged === true) return null
  const { add = [], drop = [] } = context?.capabilities ?? {}
  const dropped = new Set(drop.map(shortName))
  const kept = dropped.has('ALL') ? [] : usual.filter((name) => !dropped.has(name))
  const added = add.map(shortName)
  const all = added.includes('ALL') ? Object.keys(numbers) : [...kept, ...added]
  return [...new Set(all.map(numberOf))].toSorted((a, b) => a - b)
}

function shortName(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '')
}

function numberOf(name: string): number {
  const number = Object.hasOwn(numbers, name) ? numbers[name] : undefined
  if (number === undefined) throw new Failure('CONTAINER_CONFIG', `securityContext.capabilities names "${name}", which is no Linux capability`, { remedy: 'use names of capabilities(7) without CAP_' })
  return number
}
