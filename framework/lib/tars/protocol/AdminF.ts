// Generated from AdminF.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

/** What the .tars file says, as data. */
export const AdminFSchema: Schema = {
  structs: {},
  enums: {},
  constants: {},
  interfaces: {
    'tars::AdminF': { functions: {
      shutdown: { params: [], result: null },
      notify: { params: [{ name: 'command', tag: 1, out: false, type: 'string' }], result: 'string' },
      getPid: { params: [], result: 'long' },
    } },
  },
}

/** What implements AdminF in a server. */
export interface AdminFServant {
  shutdown(current: Current): Answer<void>
  /** Runs an administration command; the answer is text for people. */
  notify(command: string, current: Current): Answer<string>
  getPid(current: Current): Answer<bigint>
}

/** What a client calls AdminF with. */
export interface AdminFProxy {
  shutdown(options?: CallOptions): Promise<void>
  notify(command: string, options?: CallOptions): Promise<string>
  getPid(options?: CallOptions): Promise<bigint>
}

const fastAdminF: FastForms = {
  shutdown: {
    writeArgs() {},
    readArgs: () => [],
    writeResult() {},
    readResult: () => undefined,
  },
  notify: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      w.writeString(0, result as string)
    },
    readResult: (r) => r.readString(0),
  },
  getPid: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      w.writeLong(0, result as bigint)
    },
    readResult: (r) => r.readLong(0),
  },
}

export const AdminF: Interface = defineInterface(AdminFSchema, 'tars::AdminF', fastAdminF)
