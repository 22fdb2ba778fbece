// The few system calls that Node does not offer, through its foreign function interface. Linux only; see the section 2
// manual page of each. Every wrapper throws an Error whose `code` is the errno name, as node:fs does.
import { dlopen, getInt32, getRawPointer } from 'node:ffi'
import { getSystemErrorName } from 'node:util'

/** mount(2) flags, values of <sys/mount.h>. */
export const mountFlags = {
  readOnly: 1, noSuid: 2, noDev: 4, noExec: 8, remount: 32, bind: 4096, recursive: 16384, private: 1 << 18,
} as const

const detach = 2
const prctlPdeathsig = 1
const prctlCapBoundDrop = 24
const prctlNoNewPrivileges = 38
const fcntlSetFd = 2
const closeOnExec = 1
const fileTypeCharacter = 0o020000
const pivotRootNumbers: Readonly<Record<string, bigint>> = { x64: 155n, arm64: 41n }

/** The system calls, bound to the C library of this process. */
export type Libc = ReturnType<typeof openLibc>

/** Binds the C library that this process already has loaded. */
export function openLibc() {
  const { functions: c } = dlopen(null, {
    __errno_location: { arguments: [], return: 'pointer' },
    mount: { arguments: ['string', 'string', 'string', 'u64', 'string'], return: 'i32' },
    umount2: { arguments: ['string', 'i32'], return: 'i32' },
    syscall: { arguments: ['i64', 'buffer', 'buffer'], return: 'i64' },
    prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
    sethostname: { arguments: ['buffer', 'u64'], return: 'i32' },
    setsid: { arguments: [], return: 'i32' },
    signal: { arguments: ['i32', 'pointer'], return: 'pointer' },
    fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    dup2: { arguments: ['i32', 'i32'], return: 'i32' },
    mknod: { arguments: ['string', 'u32', 'u64'], return: 'i32' },
    lsetxattr: { arguments: ['string', 'string', 'buffer', 'u64', 'i32'], return: 'i32' },
    lgetxattr: { arguments: ['string', 'string', 'buffer', 'u64'], return: 'i64' },
    execve: { arguments: ['buffer', 'buffer', 'buffer'], return: 'i32' },
  })
  const check = (result: number | bigint, call: string, subject: string): void => {
    if (Number(result) >= 0) return
    const errno = getInt32(c.__errno_location(), 0)
    const code = getSystemErrorName(-errno)
    throw Object.assign(new Error(`${call} ${subject}: ${code}`), { code, errno })
  }
  return {
    /** mount(2). `data` is the file system's option text. */
    mount(source: string, target: string, type: string, flags: number, data = ''): void {
      check(c.mount(source, target, type, BigInt(flags), data), 'mount', target)
    },
    /** umount2(2) with MNT_DETACH: gone from the tree now, released when the last user is. */
    unmountLazily(target: string): void {
      check(c.umount2(target, detach), 'umount', target)
    },
    /** pivot_root(2): `newRoot` (a mount point) becomes /, the old root appears at `putOld` below it. */
    pivotRoot(newRoot: string, putOld: string): void {
      const number = pivotRootNumbers[process.arch]
      if (number === undefined) throw new Error(`pivot_root: the system call number of ${process.arch} is not known`)
      check(c.syscall(number, cString(newRoot), cString(putOld)), 'pivot_root', newRoot)
    },
    /** prctl(PR_SET_PDEATHSIG): the signal that this process gets when its parent dies. */
    setParentDeathSignal(signal: number): void {
      check(c.prctl(prctlPdeathsig, BigInt(signal), 0n, 0n, 0n), 'prctl', 'PR_SET_PDEATHSIG')
    },
    /** prctl(PR_CAPBSET_DROP): `capability` can never be gained again by this process or its children. */
    dropCapability(capability: number): void {
      const result = c.prctl(prctlCapBoundDrop, BigInt(capability), 0n, 0n, 0n)
      if (result < 0 && getInt32(c.__errno_location(), 0) === einval) return // a capability newer than this kernel
      check(result, 'prctl', `PR_CAPBSET_DROP ${capability}`)
    },
    /** prctl(PR_SET_NO_NEW_PRIVS). */
    forbidNewPrivileges(): void {
      check(c.prctl(prctlNoNewPrivileges, 1n, 0n, 0n, 0n), 'prctl', 'PR_SET_NO_NEW_PRIVS')
    },
    setHostname(name: string): void {
      const bytes = Buffer.from(name)
      check(c.sethostname(bytes, BigInt(bytes.length)), 'sethostname', name)
    },
    /** setsid(2): away from the terminal and its signals. */
    newSession(): void {
      check(c.setsid(), 'setsid', '')
    },
    /** signal(2) with SIG_DFL. */
    defaultSignal(signal: number): void {
      c.signal(signal, 0n)
    },
    /** Whether `fd` is closed by execve. */
    closeOnExec(fd: number, close: boolean): void {
      check(c.fcntl(fd, fcntlSetFd, close ? closeOnExec : 0), 'fcntl', String(fd))
    },
    /** dup2(2): `target` becomes what `fd` is, and survives exec. */
    duplicate(fd: number, target: number): void {
      check(c.dup2(fd, target), 'dup2', String(fd))
    },
    /** The overlay file system's whiteout: a character device 0,0 (kernel Documentation/filesystems/overlayfs.rst). */
    makeWhiteout(path: string): void {
      check(c.mknod(path, fileTypeCharacter, 0n), 'mknod', path)
    },
    /** lsetxattr(2): an extended attribute of the file itself, links not followed. */
    setAttribute(path: string, name: string, value: string): void {
      const bytes = Buffer.from(value)
      check(c.lsetxattr(path, name, bytes, BigInt(bytes.length), 0), 'setxattr', path)
    },
    /** lgetxattr(2): the value, or undefined when the file has no such attribute or the file system has none at all. */
    attribute(path: string, name: string): string | undefined {
      const bytes = Buffer.alloc(64)
      const length = Number(c.lgetxattr(path, name, bytes, BigInt(bytes.length)))
      return length < 0 ? undefined : bytes.toString('utf8', 0, length)
    },
    /** execve(2): only returns by throwing. */
    execute(file: string, argv: readonly string[], env: readonly string[]): void {
      const arrays = [pointerArray(argv), pointerArray(env)] as const
      check(c.execve(cString(file), arrays[0].pointers, arrays[1].pointers), 'execve', file)
    },
  }
}

const einval = 22

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

/** A NULL-terminated array of C strings; `strings` keeps the bytes that it points to alive. */
function pointerArray(texts: readonly string[]): { readonly pointers: Buffer; readonly strings: readonly Buffer[] } {
  const strings = texts.map((text) => {
    const bytes = Buffer.from(`${text}\0`)
    const own = Buffer.alloc(bytes.length)
    bytes.copy(own)
    return own
  })
  const pointers = Buffer.alloc((strings.length + 1) * 8)
  strings.forEach((bytes, index) => pointers.writeBigUInt64LE(getRawPointer(bytes), index * 8))
  return { pointers, strings }
}
