// Programs of arm64 on a machine of another architecture: the kernel hands each that is executed to qemu.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { unpackedTool } from './tools.ts'

const run = promisify(execFile)

/** What a program of arm64 begins with, and which bits of that count (binfmt_misc of the kernel's documentation): ELF-64, executable or shared. */
const magic = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`
const mask = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`
/** P: argv[0] stays what the caller gave. F: the interpreter is opened now, so that it serves in every root. */
const flags = 'PF'

/** `sh -c` with the rule as $0 and the command as the rest. */
const registration = 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && printf %s "$0" > /proc/sys/fs/binfmt_misc/register && exec "$@"'

/**
 * Words before a command in which programs of arm64 can be executed; none where they can be anyway. A user namespace has
 * rules of its own, so this machine's stay as they are.
 * @param trial the command line of a program of arm64 that needs no library
 * @throws on a kernel older than 6.7, whose rules are the machine's
 */
export async function arm64Emulation(trial: readonly string[]): Promise<readonly string[]> {
  if (await succeeds(trial)) return []
  const qemu = await unpackedTool('usr/bin/qemu-aarch64-static', 'qemu-user-static')
  const words = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', registration, `:arm64:M::${magic}:${mask}:${qemu}:${flags}`]
  if (await succeeds([...words, ...trial])) return words
  throw new Error('programs of arm64 cannot be executed here: that needs Linux 6.7 or newer, and the right to make user namespaces')
}

async function succeeds([program = '', ...args]: readonly string[]): Promise<boolean> {
  try {
    await run(program, args)
    return true
  } catch {
    return false
  }
}
