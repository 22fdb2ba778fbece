// The few calls of the C library that Node does not offer, bound by node:ffi. This is the only file that knows of it.
import { dlopen, getRawPointer } from 'node:ffi'
import { constants } from 'node:os'

const WNOHANG = 1
const PR_SET_CHILD_SUBREAPER = 36
const O_CLOEXEC = 0o2000000
const O_NONBLOCK = 0o4000
const F_SETFD = 2
const F_SETFL = 4
/** posix_spawn(3): which attributes count. */
const POSIX_SPAWN_SETSIGDEF = 0x04
const POSIX_SPAWN_SETSIGMASK = 0x08
const POSIX_SPAWN_SETSID = 0x80
/** Larger than glibc's posix_spawnattr_t (336 bytes), posix_spawn_file_actions_t (80 bytes) and sigset_t (128 bytes). */
const ATTRIBUTE_BYTES = 512
const SIGSET_BYTES = 128

const SIG_DFL = 0n
const SIG_IGN = 1n
/** sigaction(2). The C library's struct: the handler, a mask of 128 bytes, the flags, the restorer. */
const SIGACTION_BYTES = 152
const SA_FLAGS_AT = 136
const SA_NOCLDWAIT = 2

/** pidfd_open(2): the same number on every architecture. */
const SYS_PIDFD_OPEN = 434n
/** PIDFD_GET_INFO and its struct pidfd_info (linux/pidfd.h): a mask of what is asked for and given, ..., the status word last. */
const PIDFD_GET_INFO = 0xc040ff0bn
const PIDFD_INFO_BYTES = 64
const PIDFD_INFO_EXIT = 8
const EXIT_CODE_AT = 60
const POLLIN = 1

const IPC_RMID = 0
const IPC_STAT = 2
/** Larger than the C library's struct shmid_ds (112 bytes); the number of attachments is its last field but two, as on every 64-bit architecture. */
const SHMID_BYTES = 256
const SHM_NATTCH_AT = 88

const AF_INET = 2
const SOCK_STREAM_CLOEXEC = 1 | O_CLOEXEC
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const BACKLOG = 128

/** What becomes a process: a program, its words and its environment. */
export interface Program {
  readonly file: string
  /** argv[0] is the name that the program sees as its own. */
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** The descriptors that the new process has as its 1 and 2, and from 3 on; its 0 is /dev/null. */
export interface Descriptors {
  readonly stdout: number
  readonly stderr: number
  readonly extra?: readonly number[]
}

export interface Libc {
  /**
   * Starts a program in a session of its own, with default signal dispositions.
   * @returns its pid, or the error number of posix_spawn(3) as a negative number
   */
  spawn(program: Program, descriptors: Descriptors): number
  /** Becomes the program: same pid, no way back. @returns only when it failed */
  exec(program: Program): void
  /** Takes one child that ended, whichever it is. @returns its pid; 0 when none has ended */
  reapAny(): number
  /** How the child ended that was taken last: waitpid's status word. */
  readonly lastStatus: number
  /**
   * What the kernel does with children that end; there must be a listener for SIGCHLD, which stays.
   * `keep`: they wait to be waited for, as by default · `release`: it releases them by itself, and they never become
   * zombies (SA_NOCLDWAIT) · `release unheard`: and no SIGCHLD is sent
   */
  onChildEnd(what: 'keep' | 'release' | 'release unheard'): void
  /** A descriptor of a process (pidfd_open(2)), which outlives it. @returns undefined when there is no such process or the kernel refuses */
  openProcess(pid: number): number | undefined
  /** Whether descriptors can be asked at all: emulators, sandboxes and seccomp profiles may refuse what the kernel has. */
  tellsStatus(): boolean
  /**
   * How the process behind a descriptor ended: waitpid's status word (Linux >= 6.15, PIDFD_INFO_EXIT).
   * @returns `running`; `ending` when it has ended and waits to be released
   */
  statusOf(processDescriptor: number): number | 'running' | 'ending'
  close(descriptor: number): void
  /**
   * A pipe, both ends close-on-exec: a service may reopen it as /dev/stdout, which it could not do with a socket.
   * Reading never waits; writing does, as the service expects it.
   */
  pipe(): { readonly read: number; readonly write: number }
  /** A socket that listens on an IPv4 address; undefined when that cannot be. Connections wait in it until somebody takes them. */
  listen(address: string, port: number): number | undefined
  /** Removes a System V shared memory segment that no process is attached to (shmctl(2)). */
  removeSharedMemory(key: number): 'removed' | 'attached' | 'missing' | 'refused'
  /** Orphans below this process become its children, as they do for PID 1. */
  becomeSubreaper(): void
  /** Gives free blocks of the C heap back to the system. */
  trim(): void
  /** Leaves at once, waiting for no thread that is blocked in a write. */
  exitNow(code: number): never
}

const cString = (text: string): Buffer => Buffer.from(`${text}\0`)

/** An array of C strings ended by NULL: the pointers, and behind them in the same memory what they point to. */
function cStrings(texts: readonly string[]): Buffer {
  const strings = texts.map(cString)
  const pointerBytes = (texts.length + 1) * 8
  const block = Buffer.alloc(pointerBytes + strings.reduce((sum, { length }) => sum + length, 0))
  const base = getRawPointer(block)
  let at = pointerBytes
  strings.forEach((string, i) => {
    block.writeBigUInt64LE(base + BigInt(at), i * 8)
    at += string.copy(block, at)
  })
  return block
}

const environment = (env: Readonly<Record<string, string>>): string[] => Object.entries(env).map(([name, value]) => `${name}=${value}`)

const bind = () =>
  dlopen(null, {
    posix_spawn: { return: 'int32', arguments: ['buffer', 'buffer', 'buffer', 'buffer', 'buffer', 'buffer'] },
    posix_spawnattr_init: { return: 'int32', arguments: ['buffer'] },
    posix_spawnattr_destroy: { return: 'int32', arguments: ['buffer'] },
    posix_spawnattr_setflags: { return: 'int32', arguments: ['buffer', 'int32'] },
    posix_spawnattr_setsigdefault: { return: 'int32', arguments: ['buffer', 'buffer'] },
    posix_spawnattr_setsigmask: { return: 'int32', arguments: ['buffer', 'buffer'] },
    posix_spawn_file_actions_init: { return: 'int32', arguments: ['buffer'] },
    posix_spawn_file_actions_destroy: { return: 'int32', arguments: ['buffer'] },
    posix_spawn_file_actions_addopen: { return: 'int32', arguments: ['buffer', 'int32', 'buffer', 'int32', 'uint32'] },
    posix_spawn_file_actions_adddup2: { return: 'int32', arguments: ['buffer', 'int32', 'int32'] },
    posix_spawn_file_actions_addchdir_np: { return: 'int32', arguments: ['buffer', 'buffer'] },
    execve: { return: 'int32', arguments: ['buffer', 'buffer', 'buffer'] },
    chdir: { return: 'int32', arguments: ['buffer'] },
    signal: { return: 'uint64', arguments: ['int32', 'uint64'] },
    sigaction: { return: 'int32', arguments: ['int32', 'pointer', 'pointer'] },
    syscall: { return: 'int64', arguments: ['int64', 'int64', 'int64'] },
    ioctl: { return: 'int32', arguments: ['int32', 'uint64', 'pointer'] },
    poll: { return: 'int32', arguments: ['pointer', 'uint64', 'int32'] },
    waitpid: { return: 'int32', arguments: ['int32', 'pointer', 'int32'] },
    pipe2: { return: 'int32', arguments: ['buffer', 'int32'] },
    fcntl: { return: 'int32', arguments: ['int32', 'int32', 'int32'] },
    socket: { return: 'int32', arguments: ['int32', 'int32', 'int32'] },
    setsockopt: { return: 'int32', arguments: ['int32', 'int32', 'int32', 'buffer', 'uint32'] },
    bind: { return: 'int32', arguments: ['int32', 'buffer', 'uint32'] },
    listen: { return: 'int32', arguments: ['int32', 'int32'] },
    close: { return: 'int32', arguments: ['int32'] },
    shmget: { return: 'int32', arguments: ['int32', 'uint64', 'int32'] },
    shmctl: { return: 'int32', arguments: ['int32', 'int32', 'buffer'] },
    prctl: { return: 'int32', arguments: ['int32', 'uint64', 'uint64', 'uint64', 'uint64'] },
    malloc_trim: { return: 'int32', arguments: ['uint64'] },
    _exit: { return: 'void', arguments: ['int32'] },
  }).functions

type Calls = ReturnType<typeof bind>

export function bindLibc(): Libc {
  const c = bind()
  const word = new Int32Array(1)
  // Addresses are taken once: calls that are made again and again leave no garbage.
  let onChildEnd: Libc['onChildEnd'] | undefined
  const wordAddress = getRawPointer(word)
  return {
    spawn: (program, descriptors) => spawn(c, program, descriptors),
    exec: (program) => exec(c, program),
    reapAny: () => Math.max(0, c.waitpid(-1, wordAddress, WNOHANG)),
    get lastStatus() {
      return word[0] ?? 0
    },
    onChildEnd: (what) => (onChildEnd ??= childEnds(c))(what),
    openProcess: (pid) => openProcess(c, pid),
    tellsStatus: () => tellsStatus(c),
    statusOf: statusReader(c),
    close: (fd) => void c.close(fd),
    pipe() {
      const ends = Buffer.alloc(8)
      if (c.pipe2(ends, O_CLOEXEC) !== 0) throw new Error('pipe2 failed: no file descriptor is free')
      const [read, write] = [ends.readInt32LE(0), ends.readInt32LE(4)]
      c.fcntl(read, F_SETFL, O_NONBLOCK)
      return { read, write }
    },
    listen: (address, port) => listen(c, address, port),
    removeSharedMemory: (key) => removeSharedMemory(c, key),
    becomeSubreaper: () => void c.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n),
    trim: () => void c.malloc_trim(0n),
    exitNow(code) {
      c._exit(code)
      throw new Error('unreachable: _exit returned')
    },
  }
}

function spawn(c: Calls, { file, argv, cwd, env }: Program, { stdout, stderr, extra = [] }: Descriptors): number {
  const [attributes, actions, pid] = [Buffer.alloc(ATTRIBUTE_BYTES), Buffer.alloc(ATTRIBUTE_BYTES), Buffer.alloc(4)]
  c.posix_spawnattr_init(attributes)
  c.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
  // Node ignores SIGPIPE, which a program would inherit: every disposition becomes the default, and nothing is blocked.
  c.posix_spawnattr_setsigdefault(attributes, Buffer.alloc(SIGSET_BYTES, 0xff))
  c.posix_spawnattr_setsigmask(attributes, Buffer.alloc(SIGSET_BYTES))
  c.posix_spawn_file_actions_init(actions)
  c.posix_spawn_file_actions_addopen(actions, 0, cString('/dev/null'), 0, 0)
  c.posix_spawn_file_actions_adddup2(actions, stdout, 1)
  c.posix_spawn_file_actions_adddup2(actions, stderr, 2)
  extra.forEach((fd, i) => c.posix_spawn_file_actions_adddup2(actions, fd, 3 + i))
  c.posix_spawn_file_actions_addchdir_np(actions, cString(cwd))
  const error = c.posix_spawn(pid, cString(file), actions, attributes, cStrings(argv), cStrings(environment(env)))
  c.posix_spawn_file_actions_destroy(actions)
  c.posix_spawnattr_destroy(attributes)
  return error === 0 ? pid.readInt32LE(0) : -error
}

/** Changes between the listener's own action for SIGCHLD, which is there now, and variants of it. */
function childEnds(c: Calls): Libc['onChildEnd'] {
  const keep = Buffer.alloc(SIGACTION_BYTES)
  c.sigaction(constants.signals.SIGCHLD, 0n, getRawPointer(keep))
  const release = Buffer.from(keep)
  release.writeInt32LE(keep.readInt32LE(SA_FLAGS_AT) | SA_NOCLDWAIT, SA_FLAGS_AT)
  const unheard = Buffer.from(release)
  unheard.writeBigUInt64LE(SIG_DFL)
  const actions = { keep, release, 'release unheard': unheard }
  return (what) => void c.sigaction(constants.signals.SIGCHLD, getRawPointer(actions[what]), 0n)
}

function openProcess(c: Calls, pid: number): number | undefined {
  const fd = Number(c.syscall(SYS_PIDFD_OPEN, BigInt(pid), 0n))
  return fd < 0 ? undefined : fd
}

/** Asks about this process. */
function tellsStatus(c: Calls): boolean {
  const fd = openProcess(c, process.pid)
  if (fd === undefined) return false
  const info = Buffer.alloc(PIDFD_INFO_BYTES)
  info.writeUInt32LE(PIDFD_INFO_EXIT)
  const answered = c.ioctl(fd, PIDFD_GET_INFO, getRawPointer(info)) === 0
  c.close(fd)
  return answered
}

function statusReader(c: Calls): Libc['statusOf'] {
  const [info, asked] = [Buffer.alloc(PIDFD_INFO_BYTES), Buffer.alloc(8)]
  const [infoAddress, askedAddress] = [getRawPointer(info), getRawPointer(asked)]
  return (fd) => {
    info.writeUInt32LE(PIDFD_INFO_EXIT)
    if (c.ioctl(fd, PIDFD_GET_INFO, infoAddress) === 0 && (info.readUInt32LE() & PIDFD_INFO_EXIT) !== 0) return info.readInt32LE(EXIT_CODE_AT)
    asked.writeInt32LE(fd)
    asked.writeInt16LE(POLLIN, 4)
    return c.poll(askedAddress, 1n, 0) > 0 ? 'ending' : 'running'
  }
}

function exec(c: Calls, { file, argv, cwd, env }: Program): void {
  if (c.chdir(cString(cwd)) !== 0) return
  // The runtime marks its standard descriptors to be closed.
  for (const fd of [0, 1, 2]) c.fcntl(fd, F_SETFD, 0)
  // The only disposition that survives an exec is "ignored", and the runtime ignores this one.
  c.signal(constants.signals.SIGPIPE, SIG_DFL)
  c.execve(cString(file), cStrings(argv), cStrings(environment(env)))
  c.signal(constants.signals.SIGPIPE, SIG_IGN)
}

function removeSharedMemory(c: Calls, key: number): ReturnType<Libc['removeSharedMemory']> {
  const id = c.shmget(key | 0, 0n, 0)
  if (id < 0) return 'missing'
  const state = Buffer.alloc(SHMID_BYTES)
  if (c.shmctl(id, IPC_STAT, state) !== 0) return 'refused'
  if (state.readBigUInt64LE(SHM_NATTCH_AT) > 0n) return 'attached'
  return c.shmctl(id, IPC_RMID, state) === 0 ? 'removed' : 'refused'
}

function listen(c: Calls, address: string, port: number): number | undefined {
  const parts = address.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined
  const fd = c.socket(AF_INET, SOCK_STREAM_CLOEXEC, 0)
  if (fd < 0) return undefined
  const where = Buffer.alloc(16)
  where.writeUInt16LE(AF_INET, 0)
  where.writeUInt16BE(port, 2)
  parts.forEach((part, i) => where.writeUInt8(part, 4 + i))
  c.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Buffer.from(Int32Array.of(1).buffer), 4)
  if (c.bind(fd, where, where.length) === 0 && c.listen(fd, BACKLOG) === 0) return fd
  c.close(fd)
  return undefined
}
