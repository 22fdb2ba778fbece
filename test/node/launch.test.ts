import { describe, expect, it } from 'vitest'
import { splitArgv } from '../../node/launch/argv.ts'
import { planLaunch, type LaunchFiles, type ServerType } from '../../node/launch/plan.ts'
import { applyTemplateEnv } from '../../node/launch/template-env.ts'
import { serverPaths, type Layout } from '../../node/layout.ts'

const layout = { workDir: '/w', logRoot: '/l' } as Layout
const paths = serverPaths(layout, 'Demo', 'Echo')
const bin = paths.binDir

/** A file system of executables (ending in *), plain files, and the folders above them. */
function files(...entries: string[]): LaunchFiles {
  const plain = new Map(entries.map((entry) => [entry.replace(/\*$/, ''), entry.endsWith('*')]))
  const folders = new Set([...plain.keys(), `${bin}/x`].flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))))
  return {
    isFile: (path) => plain.has(path),
    isDirectory: (path) => folders.has(path),
    isExecutable: (path) => plain.get(path) === true,
    list: (path) => [...new Set([...plain.keys()].filter((one) => one.startsWith(`${path}/`)).map((one) => one.slice(path.length + 1).split('/')[0] ?? ''))].toSorted(),
    makeExecutable: (path) => plain.has(path) && !path.includes('readonly'),
  }
}

interface Case {
  readonly present: readonly string[]
  readonly env?: Record<string, string>
  readonly settings?: Record<string, string>
  readonly server?: string
}

const plan = (type: ServerType, { present, env = {}, settings = {}, server = 'Echo' }: Case) =>
  planLaunch(type, { app: 'Demo', server, paths, env: { PATH: '/usr/bin:/bin', ...env }, setting: (key) => settings[key], files: files(...present) })

describe('launch plans', () => {
  it.each(['cpp', 'go', 'nodejs-pkg'] as const)('%s: the executable named like the server, its libraries first', (type) => {
    expect(plan(type, { present: [`${bin}/Echo*`], env: { LD_LIBRARY_PATH: '/opt/lib' } })).toEqual({
      file: `${bin}/Echo`, argv: ['Echo', `--config=${paths.confFile}`], cwd: bin, env: { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: `${bin}:${bin}/lib:/opt/lib` },
    })
  })

  it('cpp: the first *Server below bin when there is none of the name; a file without x is made executable', () => {
    expect(plan('cpp', { present: [`${bin}/conf/notServer`, `${bin}/a/AServer*`, `${bin}/b/BServer*`] }).file).toBe(`${bin}/a/AServer`)
    expect(plan('cpp', { present: [`${bin}/Echo`] }).file).toBe(`${bin}/Echo`)
    expect(() => plan('cpp', { present: [`${bin}/readonly`], server: 'readonly' })).toThrow(/is not executable and cannot be made so/)
    expect(() => plan('go', { present: [] })).toThrow(`no executable ${bin}/Echo, and no executable file named *Server in ${bin} or below`)
  })

  it('nodejs: the node-agent of the base image', () => {
    const agent = '/usr/local/app/tars/node-agent/bin/node-agent'
    expect(plan('nodejs', { present: ['/usr/bin/node*', agent], env: { NODE_AGENT_BIN: agent } })).toMatchObject({ file: '/usr/bin/node', argv: ['node', agent, `${bin}/`, '-c', paths.confFile] })
    expect(() => plan('nodejs', { present: ['/usr/bin/node*'] })).toThrow('NODE_AGENT_BIN is not set')
    expect(() => plan('nodejs', { present: ['/usr/bin/node*'], env: { NODE_AGENT_BIN: agent } })).toThrow(`NODE_AGENT_BIN names ${agent}, which is no file`)
    expect(() => plan('nodejs', { present: [agent], env: { NODE_AGENT_BIN: agent } })).toThrow('no executable "node"; looked for /usr/bin/node, /bin/node')
  })

  it('java-jar: jvmparams with quotes, JAVA_HOME after PATH', () => {
    const settings = { jvmparams: '-Xmx64m "-Dgreeting=good day"' }
    expect(plan('java-jar', { present: [`${bin}/Echo.jar`, '/jdk/bin/java*'], env: { JAVA_HOME: '/jdk' }, settings })).toMatchObject({
      file: '/jdk/bin/java', argv: ['java', `-Dconfig=${paths.confFile}`, '-Xmx64m', '-Dgreeting=good day', '-jar', `${bin}/Echo.jar`],
    })
    expect(() => plan('java-jar', { present: [`${bin}/other.jar`, '/usr/bin/java*'] })).toThrow(`no ${bin}/Echo.jar; the folder holds other.jar`)
    expect(() => plan('java-jar', { present: [`${bin}/Echo.jar`, '/usr/bin/java*'], settings: { jvmparams: '"-Xmx1g' } })).toThrow('key /tars/application/server<jvmparams> has a quote')
  })

  it('java-war: the class path also names the jars of its folders', () => {
    const settings = { mainclass: 'com.tars.server.startup.Main', classpath: 'conf:WEB-INF/classes:WEB-INF/lib' }
    expect(plan('java-war', { present: ['/bin/java*', `${bin}/WEB-INF/lib/a.jar`, `${bin}/WEB-INF/classes/A.class`], settings }).argv).toEqual([
      'java', `-Dconfig=${paths.confFile}`, '-cp', 'conf:WEB-INF/classes:WEB-INF/lib:WEB-INF/lib/*', 'com.tars.server.startup.Main',
    ])
    expect(() => plan('java-war', { present: ['/bin/java*'] })).toThrow('the conf has no /tars/application/server<mainclass>')
  })

  it('custom and not-tars: what the image says', () => {
    const env = { ServerLauncherFile: 'serve', ServerLauncherArgv: `serve --name "two words" 'it'\\''s'` }
    expect(plan('custom', { present: ['/bin/serve*'], env })).toMatchObject({ file: '/bin/serve', argv: ['serve', '--name', 'two words', "it's"] })
    expect(() => plan('not-tars', { present: [] })).toThrow('ServerLauncherFile is not set')
    expect(() => plan('not-tars', { present: [], env: { ServerLauncherFile: '/opt/x' } })).toThrow('names /opt/x, which is missing or not executable')
  })

  it('says when there is no package', () => {
    expect(() => planLaunch('cpp', { app: 'A', server: 'B', paths: { ...paths, binDir: '/nowhere' }, env: {}, setting: () => undefined, files: files() })).toThrow('the package folder /nowhere is missing')
  })
})

describe('words and variables', () => {
  it.each([
    ['', []],
    ['  a  b\tc ', ['a', 'b', 'c']],
    [`'' ""`, ['', '']],
    [`a'b c'"d e"f`, ['ab cd ef']],
    [`"a\\"b\\\\" \\x\\ y`, ['a"b\\', 'x y']],
  ])('%j splits like in a shell', (text, words) => {
    expect(splitArgv(text, 'it')).toEqual(words)
  })

  it.each([`"open`, `it's`, 'ends\\'])('%j is refused with its place', (text) => {
    expect(() => splitArgv(text, 'variable V')).toThrow(/^variable V has a quote or backslash at position \d/)
  })

  it('the template env is split on ; and |, and $ refers to what was set before', () => {
    expect(applyTemplateEnv('A=1;B=${A}/$HOME| C=x=y ;bad;1X=no', { HOME: '/root' })).toEqual({ HOME: '/root', A: '1', B: '1//root', C: 'x=y' })
  })
})
