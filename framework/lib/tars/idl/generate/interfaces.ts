import { shortName, type FunctionDef, type InterfaceDef, type ParamDef, type Type } from '../schema.ts'
import { readExpression, writeStatement } from './fields.ts'
import { docComment, safeName, typeName } from './names.ts'
import { quoted, tsType } from './types.ts'

/** Types for servant and proxy, the version 1 codecs, and the interface itself. */
export function interfaceCode(fullName: string, def: InterfaceDef, schemaName: string): string[] {
  const name = typeName(fullName)
  const functions = Object.entries(def.functions)
  return [
    ...docComment(`What implements ${name} in a server.`),
    `export interface ${shortName(fullName)}Servant {`,
    ...functions.flatMap(([fn, shape]) => [...docComment(shape.doc, '  '), `  ${fn}(${[...inTypes(shape), 'current: Current'].join(', ')}): Answer<${resultType(shape)}>`]),
    '}',
    '',
    ...docComment(`What a client calls ${name} with.`),
    `export interface ${shortName(fullName)}Proxy {`,
    ...functions.map(([fn, shape]) => `  ${fn}(${[...inTypes(shape), 'options?: CallOptions'].join(', ')}): Promise<${resultType(shape)}>`),
    '}',
    '',
    `const fast${shortName(fullName)}: FastForms = {`,
    ...functions.flatMap(([fn, shape]) => functionCode(fn, shape)),
    '}',
    '',
    ...docComment(def.doc),
    `export const ${name}: Interface = defineInterface(${schemaName}, ${quoted(fullName)}, fast${shortName(fullName)})`,
    '',
  ]
}

function inTypes(shape: FunctionDef): string[] {
  return shape.params.filter((param) => !param.out).map((param) => `${safeName(param.name)}: ${tsType(param.type)}`)
}

/** The public form of a function's result; see FunctionCodec. */
function resultType(shape: FunctionDef): string {
  const outs = shape.params.filter((param) => param.out)
  const returned = shape.result === null ? 'void' : tsType(shape.result)
  if (outs.length === 0) return returned
  const own = shape.result === null ? [] : [`return: ${returned}`]
  return `{ ${[...own, ...outs.map((param) => `${param.name}: ${tsType(param.type)}`)].join('; ')} }`
}

function functionCode(name: string, shape: FunctionDef): string[] {
  const params = shape.params.filter((param) => !param.out)
  const outs = shape.params.filter((param) => param.out)
  const writes = params.map((param, index) => writeStatement(param.type, param.tag, `args[${index}] as ${asArgument(param.type)}`))
  return [
    `  ${name}: {`,
    ...method('writeArgs(w, args)', 'writeArgs()', writes),
    `    readArgs: ${params.length === 0 ? '()' : '(r)'} => [${params.map((param) => readExpression(param.type, param.tag)).join(', ')}],`,
    ...(outs.length === 0 ? plainResult(shape.result) : outResult(name, shape, outs)),
    '  },',
  ]
}

// `a as T[]` binds weaker than a call's comma, so this is safe inside an argument list.
function asArgument(type: Type): string {
  return tsType(type)
}

function method(head: string, emptyHead: string, statements: readonly string[]): string[] {
  if (statements.length === 0) return [`    ${emptyHead} {},`]
  return [`    ${head} {`, ...statements.map((statement) => `      ${statement}`), '    },']
}

function plainResult(type: Type | null): string[] {
  if (type === null) return ['    writeResult() {},', '    readResult: () => undefined,']
  return [...method('writeResult(w, result)', '', [writeStatement(type, 0, `result as ${tsType(type)}`)]), `    readResult: (r) => ${arrowBody(readExpression(type, 0))},`]
}

function arrowBody(expression: string): string {
  return expression
}

function outResult(name: string, shape: FunctionDef, outs: readonly ParamDef[]): string[] {
  const returned = shape.result === null ? [] : [{ name: 'return', tag: 0, type: shape.result }]
  const parts = [...returned, ...outs]
  return [
    ...method('writeResult(w, result)', '', [
      `const value = resultObject(${quoted(name)}, result) as ${resultType(shape)}`,
      ...parts.map((part) => writeStatement(part.type, part.tag, `value.${part.name}`)),
    ]),
    '    readResult: (r) => ({',
    ...parts.map((part) => `      ${part.name}: ${readExpression(part.type, part.tag)},`),
    '    }),',
  ]
}
