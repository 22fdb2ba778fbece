import { idlFailure, tokenize } from './lexer.ts'
import { parseDefinitions, type Draft } from './parse-definitions.ts'
import { resolve } from './resolve.ts'
import type { Schema } from './schema.ts'
import { TokenStream } from './tokens.ts'

/**
 * Finds an included file.
 * @param name as written in `#include "name"`
 * @param from the file that includes it
 * @returns its name for error texts and its text, or undefined when there is none
 */
export type IncludeResolver = (name: string, from: string) => { readonly file: string; readonly text: string } | undefined

export interface ParseResult {
  readonly schema: Schema
  /** The file that defines each full name, as the include resolver calls it. */
  readonly definedIn: ReadonlyMap<string, string>
}

/**
 * Parses a .tars file (grammar of the Tars IDL: module, struct, enum, const, interface, key, `#include`).
 * Names may be used before they are defined.
 * @param file its name for error texts
 * @throws Failure `TARS_IDL` whose message starts `file:line:column:`
 */
export function parseTars(file: string, text: string, include: IncludeResolver = () => undefined): ParseResult {
  const draft: Draft = { definitions: new Map(), keys: [], enums: new Map() }
  parseFile({ file, text, include, seen: new Set([file]) }, draft)
  return { schema: resolve(draft), definedIn: new Map([...draft.definitions].map(([name, definition]) => [name, definition.file])) }
}

interface Source {
  readonly file: string
  readonly text: string
  readonly include: IncludeResolver
  /** Files parsed already: each is read once, which also ends circles. */
  readonly seen: Set<string>
}

function parseFile(source: Source, draft: Draft): void {
  const tokens = tokenize(source.file, source.text)
  for (const token of tokens) {
    if (token.kind !== 'include') continue
    const found = source.include(token.text, source.file)
    if (found === undefined) throw idlFailure(source.file, token, `the included file "${token.text}" was not found`, 'give the included files along with this one')
    if (source.seen.has(found.file)) continue
    source.seen.add(found.file)
    parseFile({ ...source, ...found }, draft)
  }
  parseDefinitions(new TokenStream(source.file, tokens.filter((token) => token.kind !== 'include')), draft)
}
