// The few calls of the C library that Node does not offer, bound by node:ffi. This is the only file that knows of it.
import { dlopen } from 'node:ffi'
import { constants } from 'node:os'

const P_ALL = 0
const WNOHANG = 1
const WEXITED = 4
const WNOWAIT = 0x01000000
/** Linux's siginfo_t is 128 bytes; si_pid is at 16 where pointers have 64 bits. */
const SIGINFO_BYTES = 128
const SI_PID = 16
const PR_SET_CHILD_SUBREAPER = 36
const O_CLOEXEC = 0o2000000

/** How a child ended: an exit code, or the number of the signal that killed it, and whether it left a core. */
export interface ExitStatus {
  readonly code: number | null
  readonly signal: number | null
  readonly core: boolean
}

export interface Libc {
  /** The pid of some child that ended and was not waited for yet, 0 for none. Takes nothing. */
  peekEnded(): number
  /** Takes the status of the ended child `pid`; undefined when it is no such child. */
  reap(pid: number): ExitStatus | undefined
  /** A pipe, both ends close-on-exec: a service may reopen it as /dev/stdout, which it could not do with a socket. */
  pipe(): { readonly read: number; readonly write: number }
  /** Orphans below this process become its children, as they do for PID 1. */
  becomeSubreaper(): void
  /** Gives free blocks of the C heap back to the system. */
  trim(): void
  /** Leaves at once, waiting for no thread that is blocked in a write. */
  exitNow(code: number): never
}

/** waitpid's status word (wait(2)). */
export function decodeStatus(word: number): ExitStatus {
  const signal = word & 0x7f
  return signal === 0 ? { code: (word >> 8) & 0xff, signal: null, core: false } : { code: null, signal, core: (word & 0x80) !== 0 }
}

export function bindLibc(): Libc {
  const { functions: c } = dlopen(null, {
    waitid: { return: 'int32', arguments: ['int32', 'uint32', 'buffer', 'int32'] },
    waitpid: { return: 'int32', arguments: ['int32', 'buffer', 'int32'] },
    pipe2: { return: 'int32', arguments: ['buffer', 'int32'] },
    prctl: { return: 'int32', arguments: ['int32', 'uint64', 'uint64', 'uint64', 'uint64'] },
    malloc_trim: { return: 'int32', arguments: ['uint64'] },
    _exit: { return: 'void', arguments: ['int32'] },
  })
  const info = Buffer.alloc(SIGINFO_BYTES)
  const infoPid = new Int32Array(info.buffer, info.byteOffset + SI_PID, 1)
  const word = new Int32Array(1)
  const wordBytes = Buffer.from(word.buffer)
  return {
    peekEnded() {
      infoPid[0] = 0
      return c.waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) === 0 ? (infoPid[0] ?? 0) : 0
    },
    reap: (pid) => (c.waitpid(pid, wordBytes, WNOHANG) === pid ? decodeStatus(word[0] ?? 0) : undefined),
    pipe() {
      const ends = Buffer.alloc(8)
      if (c.pipe2(ends, O_CLOEXEC) !== 0) throw new Error('pipe2 failed: no file descriptor is free')
      return { read: ends.readInt32LE(0), write: ends.readInt32LE(4) }
    },
    becomeSubreaper: () => void c.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n),
    trim: () => void c.malloc_trim(0n),
    exitNow(code) {
      c._exit(code)
      throw new Error('unreachable: _exit returned')
    },
  }
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** `SIGKILL` for 9, `signal 40` for a number without a name. */
export const signalName = (signal: number): string => signalNames.get(signal) ?? `signal ${signal}`

/** The exit code that stands for a status: the code itself, or 128 + the signal's number. */
export const outcomeCode = (status: ExitStatus): number => status.code ?? 128 + (status.signal ?? 0)
