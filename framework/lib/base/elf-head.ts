/** What the head of a native executable says (System V ABI, "ELF header"). */
export interface ElfHead {
  /** As OCI and Go name it, e.g. `amd64`; `machine <n>` for one not in the table. */
  readonly architecture: string
  readonly kind: 'executable' | 'shared' | 'core' | 'other'
}

const magic = 0x7f454c46

/** e_machine (and for some the class) to the name used in image configurations (GOARCH). */
const machines: Readonly<Record<number, string>> = { 3: '386', 8: 'mips', 21: 'ppc64', 22: 's390x', 40: 'arm', 62: 'amd64', 183: 'arm64', 243: 'riscv64', 258: 'loong64' }

/** e_type. */
const kinds: Readonly<Record<number, ElfHead['kind']>> = { 2: 'executable', 3: 'shared', 4: 'core' }

/** Bytes of a file's head that {@link parseElf} needs. */
export const elfHeadBytes = 20

/** Undefined when these are not the first bytes of an ELF file. */
export function parseElf(head: Buffer): ElfHead | undefined {
  if (head.length < elfHeadBytes || head.readUInt32BE(0) !== magic) return undefined
  const little = head[5] === 1
  const read = (at: number): number => (little ? head.readUInt16LE(at) : head.readUInt16BE(at))
  const machine = read(18)
  const type = read(16)
  const name = machines[machine] ?? `machine ${machine}`
  return { architecture: machine === 21 && little ? 'ppc64le' : name, kind: kinds[type] ?? 'other' }
}

/** Bytes of a file's head in which the kernel looks for a script's interpreter (BINPRM_BUF_SIZE). */
export const scriptHeadBytes = 256

/** What follows `#!` in the first line of a script, by which the kernel runs it (execve(2)): interpreter and argument. Undefined for what is none. */
export function scriptLine(head: Buffer): string | undefined {
  return /^#![ \t]*([^\n\0]*)/.exec(head.toString('latin1', 0, scriptHeadBytes))?.[1]
}
