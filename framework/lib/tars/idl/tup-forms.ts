import { decodeFailure } from '../codec/wire.ts'
import { Reader } from '../codec/reader.ts'
import { Writer } from '../codec/writer.ts'
import type { FunctionSource } from './interface.ts'
import { inParams, resultShape } from './result.ts'
import type { ValueCodec } from './value-codec.ts'

/** Values by name, each encoded alone at tag 0. */
export type TupMap = Map<string, Buffer>

/** The version 3 body (TUP): parameters by name, the return value under `''` and `tars_ret`. */
export interface TupForms {
  writeArgsTup(args: readonly unknown[]): TupMap
  readArgsTup(map: TupMap): unknown[]
  writeResultTup(result: unknown): TupMap
  readResultTup(map: TupMap): unknown
}

const returnName = 'tars_ret'

interface Named {
  readonly name: string
  readonly codec: ValueCodec
}

export function tupForms(source: FunctionSource): TupForms {
  const params = inParams(source).map((param) => ({ name: param.name, codec: source.codecs.of(param.type) }))
  const shape = resultShape(source)
  const parts = shape.parts.map((part) => ({ name: part.name, codec: source.codecs.of(part.type) }))
  return {
    writeArgsTup: (args) => new Map(params.map((param, index) => [param.name, encodeOne(param.codec, args[index])])),
    readArgsTup: (map) => params.map((param) => decodeOne(map, param)),
    writeResultTup(result) {
      const values = shape.split(result)
      const map = new Map(parts.map((part, index) => [part.name, encodeOne(part.codec, values[index])]))
      const returned = map.get('')
      return returned === undefined ? map : map.set(returnName, returned)
    },
    readResultTup: (map) => shape.join(parts.map((part) => decodeOne(map, part))),
  }
}

function encodeOne(codec: ValueCodec, value: unknown): Buffer {
  const w = new Writer(64)
  codec.write(w, 0, value)
  return w.take(0)
}

function decodeOne(map: TupMap, { name, codec }: Named): unknown {
  const bytes = map.get(name) ?? (name === '' ? map.get(returnName) : undefined)
  if (bytes === undefined) throw decodeFailure(`the TUP body has no value named "${name}"`, 0, 0)
  return codec.read(new Reader(bytes), 0)
}

/** The sBuffer of a TUP packet: `map<string, vector<byte>>` at tag 0. */
export function encodeTup(map: TupMap): Buffer {
  const w = new Writer(256)
  w.beginMap(0, map.size)
  for (const [name, bytes] of map) {
    w.writeString(0, name)
    w.writeBytes(1, bytes)
  }
  return w.take(0)
}

/** Values share memory with `bytes`. @throws Failure `TARS_DECODE` */
export function decodeTup(bytes: Uint8Array): TupMap {
  const r = new Reader(bytes)
  const count = r.beginMap(0)
  const map: TupMap = new Map()
  for (let i = 0; i < count; i++) {
    r.expect(0)
    const name = r.readString(0)
    r.expect(1)
    map.set(name, r.readBytesView(1))
  }
  return map
}
