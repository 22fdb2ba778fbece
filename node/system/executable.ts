// What the kernel does not say of a file that it did not execute: execve(2) knows two error numbers for a dozen reasons.
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { parseElf, scriptLine } from '#base/elf-head.ts'

/** Of a file's beginning so much is looked at: more than the kernel reads of a `#!` line. Bytes. */
const HEAD_BYTES = 512
const PT_INTERP = 3
/** Longest path of a loader (PATH_MAX). */
const LONGEST_PATH = 4096

/** This machine, as images name it. */
const ownArchitecture = process.arch === 'x64' ? 'amd64' : process.arch

/** True for text without a `#!` line, which execvp(3) gives to the shell. */
export function isShellText(file: string): boolean {
  const head = readAt(file, 0, HEAD_BYTES)
  return head.length > 0 && !head.includes(0) && !head.toString('latin1').startsWith('#!')
}

/** What keeps this file from being executed here, and what to do; undefined when it does not show. */
export function obstacleOf(file: string): string | undefined {
  const head = readAt(file, 0, HEAD_BYTES)
  if (head.length === 0) return existsSync(file) ? 'it is empty or cannot be read; correct the package' : undefined
  const elf = parseElf(head)
  const interpreter = elf === undefined ? scriptLine(head)?.split(/[ \t]/, 1)[0] : loaderOf(file, head)
  if (interpreter !== undefined && !existsSync(interpreter)) return missing(interpreter)
  if (elf !== undefined && elf.architecture !== ownArchitecture) return `it is an executable for ${elf.architecture}, and this machine is ${ownArchitecture}; release one for ${ownArchitecture}, or keep the server to nodes of ${elf.architecture} by spec.k8s.nodeSelector`
  return elf === undefined && head.includes(0) ? 'it is neither an executable of Linux nor a script; correct the package' : undefined
}

function missing(interpreter: string): string {
  const remedy = interpreter.endsWith('\r') ? 'its first line ends in CR LF: save the script with LF alone' : 'use a base image that has it'
  return `its interpreter ${JSON.stringify(interpreter)} is not in this image; ${remedy}`
}

/** The loader that a 64-bit little-endian executable asks for (System V ABI, "Program Header"). */
function loaderOf(file: string, head: Buffer): string | undefined {
  if (head.length < 64 || head[4] !== 2 || head[5] !== 1) return undefined
  const [at, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)]
  const table = readAt(file, at, size * count)
  for (let entry = 0; entry + size <= table.length; entry += size) {
    if (size < 56 || table.readUInt32LE(entry) !== PT_INTERP) continue
    const length = Math.min(LONGEST_PATH, Number(table.readBigUInt64LE(entry + 32)))
    return readAt(file, Number(table.readBigUInt64LE(entry + 8)), length).toString('latin1').replace(/\0.*$/s, '')
  }
  return undefined
}

/** Fewer bytes, or none, where there are no more. */
function readAt(file: string, at: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  let fd: number | undefined
  try {
    fd = openSync(file, 'r')
    return buffer.subarray(0, readSync(fd, buffer, 0, length, at))
  } catch {
    return Buffer.alloc(0)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
