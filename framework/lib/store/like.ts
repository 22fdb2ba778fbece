// Patterns of LIKE, in the words of each store. Pure.

type Token = { readonly kind: 'any' } | { readonly kind: 'one' } | { readonly kind: 'text'; readonly text: string }

function tokens(pattern: string): Token[] {
  const out: Token[] = []
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index)
    if (character === '%') out.push({ kind: 'any' })
    else if (character === '_') out.push({ kind: 'one' })
    // A backslash at the end is itself.
    else out.push({ kind: 'text', text: character === '\\' && index + 1 < pattern.length ? pattern.charAt(++index) : character })
  }
  return out
}

/** For SQLite's `LIKE ? ESCAPE '\'`. */
export function sqlPattern(pattern: string): string {
  return tokens(pattern).map((token) => (token.kind === 'any' ? '%' : token.kind === 'one' ? '_' : token.text.replace(/[%_\\]/, String.raw`\$&`))).join('')
}

/** For Elasticsearch's wildcard query. */
export function wildcardPattern(pattern: string): string {
  return tokens(pattern).map((token) => (token.kind === 'any' ? '*' : token.kind === 'one' ? '?' : token.text.replace(/[*?\\]/, String.raw`\$&`))).join('')
}
