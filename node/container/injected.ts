import type { Settings } from '../env.ts'
import { readText } from '../system/atomic-write.ts'

/** Below the work folder: what an init container leaves for the container of the service (spec A.2). */
export const environmentFile = (workDir: string): string => `${workDir}/util/environment`

/** The lines that a shell can read as well: `export NAME='value'`. */
export const environmentText = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`).join('')

/** The names that the reference's scripts have for a server's folders (spec A.3), for the service and for who works in its pod. */
export const serverVariables = ({ listenAddress, paths, launcher }: Pick<Settings, 'listenAddress' | 'paths' | 'launcher'>): Record<string, string> => ({
  ListenAddress: listenAddress,
  ServerBaseDir: paths.baseDir,
  ServerBinDir: paths.binDir,
  ServerConfDir: paths.confDir,
  ServerDataDir: paths.dataDir,
  ServerLogDir: paths.logRoot,
  ServerConfFile: paths.confFile,
  ServerLauncherType: launcher,
})

/** What {@link environmentText} wrote, and the unquoted lines of other writers; empty where there is no such file. */
export function injectedEnvironment(workDir: string): Record<string, string> {
  const lines = (readText(environmentFile(workDir)) ?? '').split('\n')
  const pairs = lines.flatMap((line) => {
    const match = /^export (\w+)=(.*)$/.exec(line)
    return match === null ? [] : [[match[1] ?? '', unquoted(match[2] ?? '')] as const]
  })
  return Object.fromEntries(pairs)
}

const unquoted = (text: string): string => (/^'[^]*'$/.test(text) ? text.slice(1, -1).replaceAll(`'\\''`, "'") : text)
