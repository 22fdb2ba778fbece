/**
 * The variables of the template key /tars/application/server<env>: `NAME=value` items between `;` or `|`, in which
 * `$NAME` and `${NAME}` stand for values set before (by the container or an earlier item).
 */
export function applyTemplateEnv(text: string, base: Readonly<Record<string, string>>): Record<string, string> {
  const env = { ...base }
  for (const item of text.split(/[;|]/)) {
    const at = item.indexOf('=')
    const name = item.slice(0, at).trim()
    if (at < 1 || !/^[A-Za-z_]\w*$/.test(name)) continue
    const value = item.slice(at + 1).trim()
    env[name] = value.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_whole, braced: string | undefined, bare: string | undefined) => env[braced ?? bare ?? ''] ?? '')
  }
  return env
}
