/** What the head of a native executable says (System V ABI, "ELF header"). */
export interface ElfHead {
  /** As OCI and Go name it, e.g. `amd64`; `machine <n>` for one not in the table. */
  readonly architecture: string
  readonly kind: 'executable' | 'shared' | 'other'
}

const magic = 0x7f454c46

/** e_machine (and for some the class) to the name used in image configurations (GOARCH). */
const machines: Readonly<Record<number, string>> = { 3: '386', 8: 'mips', 21: 'ppc64', 22: 's390x', 40: 'arm', 62: 'amd64', 183: 'arm64', 243: 'riscv64', 258: 'loong64' }

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
  return { architecture: machine === 21 && little ? 'ppc64le' : name, kind: type === 2 ? 'executable' : type === 3 ? 'shared' : 'other' }
}

/** True for a script that the kernel runs by its first line. */
export function isScript(head: Buffer): boolean {
  return head.length >= 2 && head[0] === 0x23 && head[1] === 0x21
}
