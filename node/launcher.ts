// `tarsk8s` in a container: an executable of a few hundred bytes that needs no library and no shell. It replaces itself by
// the supervisor's own loader, runtime and bundle, and hands its arguments on. An image FROM scratch has nothing else that
// could be typed after `kubectl exec`, and a script cannot do it: its `#!` line takes one word.
import type { Architecture } from './layout.ts'

/**
 * The instructions, as text an assembler would print. They build a new argument vector on the stack, from the table of
 * fixed words and from argv[1] on, and call execve(2) with it and the environment; if that returns they say so and exit
 * with 127. Behind them lie five numbers: how many fixed words, address of their table, of the first of them, of the
 * message, and the message's length.
 */
const machines: Readonly<Record<Architecture, { readonly machine: number; readonly code: string }>> = {
  x64: {
    machine: 62,
    code: `488b0c24 4c8d442408 498d54c808 4989c9 488b0d60000000 498d0409 48c1e003 4829c4 4889e7 488b3553000000 f348a5
      498d7008 4c89c9 f348a5 488b3d47000000 4889e6 b83b000000 0f05
      bf02000000 488b3539000000 488b153a000000 b801000000 0f05 bf7f000000 b83c000000 0f05 0f1f8000000000`,
  },
  arm64: {
    machine: 183,
    code: `e10340f9 e2230091 430c018b 68200091 c4030058 2500048b a5f07dd3 e6030091 c60005cb e90306aa 47030058
      ea8440f8 2a8500f8 840400f1 a1ffff54 47200091 ea8440f8 2a8500f8 210400f1 a1ffff54
      40020058 e10306aa e20308aa a81b80d2 010000d4 400080d2 c1010058 e2010058 080880d2 010000d4 e00f80d2 a80b80d2 010000d4 1f2003d5`,
  },
}

/**
 * What may come before: instructions that go through the environment and write the first letter of the variables that the
 * supervisor's loader and runtime would obey, LD_… and NODE…, as a small one. They are the service's (NODE_OPTIONS, LD_PRELOAD …),
 * and a module or a library that is meant for the service, in the supervisor, may keep it from starting.
 */
const hiding: Readonly<Record<Architecture, string>> = {
  x64: `488b0c24 488d74cc10 488b3e 4883c608 4885ff 741a 8b07 3d4e4f4445 740c 25ffffff00 3d4c445f00 75df 800f20 ebda 90`,
  arm64: `e10340f9 e2430091 420c018b c5e98952 85a8a872 86898852 e60ba072 438440f8 630100b4 640040b9 9f00056b 80000054
    845c0012 9f00066b 21ffff54 64004039 84001b32 64000039 f5ffff17 1f2003d5`,
}

const BASE = 0x400000n
const HEADERS = 64 + 56
const READ_AND_EXECUTE = 5
const PAGE = 0x1000n

/**
 * @param words the fixed beginning of the command line; the first is the program
 * @param hides what the command's loader and runtime would take for theirs of the environment; see unhidden of env.ts
 * @returns a static ELF executable (System V ABI, ELF-64) of one segment
 */
export function launcher(arch: Architecture, words: readonly string[], { hides = false } = {}): Buffer {
  const { machine, code } = machines[arch]
  const text = Buffer.from(`${hides ? hiding[arch] : ''}${code}`.replaceAll(/\s/g, ''), 'hex')
  const numbers = HEADERS + text.length
  const table = numbers + 5 * 8
  const strings = [...words, `tarsk8s: ${words[0] ?? ''} cannot be started\n`].map((word) => Buffer.from(`${word}\0`))
  let at = table + words.length * 8
  const places = strings.map((string) => (at += string.length) - string.length)
  const message = strings.at(-1)?.length ?? 1
  const values = [words.length, address(table), address(places[0] ?? 0), address(places.at(-1) ?? 0), message - 1, ...places.slice(0, -1).map(address)]
  const body = Buffer.concat([text, ...values.map(quad), ...strings])
  return Buffer.concat([headers(machine, HEADERS + body.length), body])
}

const address = (offset: number): bigint => BASE + BigInt(offset)

function quad(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function headers(machine: number, size: number): Buffer {
  const header = Buffer.alloc(HEADERS)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(address(HEADERS), 24)
  header.writeBigUInt64LE(64n, 32)
  for (const [offset, value] of [[52, 64], [54, 56], [56, 1], [58, 64]] as const) header.writeUInt16LE(value, offset)
  header.writeUInt32LE(1, 64)
  header.writeUInt32LE(READ_AND_EXECUTE, 68)
  const segment = [0n, BASE, BASE, BigInt(size), BigInt(size), PAGE]
  segment.forEach((value, i) => header.writeBigUInt64LE(value, 72 + i * 8))
  return header
}
