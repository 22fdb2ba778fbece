import { describe, expect, it } from 'vitest'
import { serverTypes as builtTypes } from '#api/schema/others.ts'
import { Inventory } from '../../imagebuilder/package/inventory.ts'
import { preflight } from '../../imagebuilder/package/preflight.ts'
import { splitArgv } from '../../node/launch/argv.ts'
import { planLaunch, serverTypes, type LaunchFiles, type ServerType } from '../../node/launch/plan.ts'
import { pythonEntries } from '../../node/launch/python.ts'
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
    expect(() => plan('nodejs', { present: ['/usr/bin/node*'] })).toThrow(`NODE_AGENT_BIN is not set, and there is no ${bin}/tars_nodejs/node-agent/bin/node-agent`)
    expect(() => plan('nodejs', { present: ['/usr/bin/node*'], env: { NODE_AGENT_BIN: agent } })).toThrow(`NODE_AGENT_BIN names ${agent}, which is no file`)
    expect(() => plan('nodejs', { present: [agent], env: { NODE_AGENT_BIN: agent } })).toThrow('no executable "node"; looked for /usr/bin/node, /bin/node')
  })

  it('nodejs: the node-agent and the runtime that a native package brings', () => {
    const agent = `${bin}/tars_nodejs/node-agent/bin/node-agent`
    expect(plan('nodejs', { present: [agent, `${bin}/src/package.json`, '/usr/bin/node*'] })).toMatchObject({ file: '/usr/bin/node', argv: ['node', agent, `${bin}/src/`, '-c', paths.confFile] })
    expect(plan('nodejs', { present: [agent, `${bin}/tars_nodejs/node*`, '/usr/bin/node*'] })).toMatchObject({ file: `${bin}/tars_nodejs/node`, argv: ['node', agent, `${bin}/`, '-c', paths.confFile] })
    expect(() => plan('nodejs', { present: [agent] })).toThrow(`no executable "node"; looked for ${bin}/tars_nodejs/node, /usr/bin/node, /bin/node`)
  })

  it('php: the entrance, and the same command with stop', () => {
    const entrance = `${bin}/src/index.php`
    const argv = ['/bin/php', entrance, `--config=${paths.confFile}`]
    expect(plan('php', { present: [entrance, '/bin/php*'] })).toEqual({ file: '/bin/php', argv: [...argv, 'start'], stop: [...argv, 'stop'], cwd: bin, env: { PATH: '/usr/bin:/bin' } })
    expect(plan('php', { present: [`${bin}/web/run.php`, '/bin/php*'], settings: { entrance: 'web/run.php' } }).argv[1]).toBe(`${bin}/web/run.php`)
    expect(plan('php', { present: ['/srv/run.php', '/bin/php*'], settings: { entrance: '/srv/run.php' } }).argv[1]).toBe('/srv/run.php')
    expect(() => plan('php', { present: [`${bin}/index.php`, '/bin/php*'] })).toThrow(`no script to run; looked for ${entrance}; the package holds index.php`)
    expect(() => plan('php', { present: [entrance, '/bin/php*'], settings: { entrance: 'gone.php' } })).toThrow(`server<entrance> names is missing; looked for ${bin}/gone.php; the package holds src`)
  })

  it('php: the place that the template names comes first, but official images have another', () => {
    const settings = { php: '/usr/bin/php' }
    expect(plan('php', { present: [`${bin}/src/index.php`, '/usr/bin/php*', '/opt/php*'], settings, env: { PATH: '/opt' } }).file).toBe('/usr/bin/php')
    expect(plan('php', { present: [`${bin}/src/index.php`, '/opt/php*'], settings, env: { PATH: '/opt' } }).file).toBe('/opt/php')
    expect(() => plan('php', { present: [`${bin}/src/index.php`], settings, env: { PATH: '/opt' } })).toThrow('no executable "php"; looked for /usr/bin/php, /opt/php')
  })

  it('python: the first of the conventional scripts, its output not held back', () => {
    const present = ['/bin/python3*', `${bin}/app.py`, `${bin}/src/main.py`]
    expect(plan('python', { present })).toEqual({ file: '/bin/python3', argv: ['/bin/python3', `${bin}/src/main.py`, `--config=${paths.confFile}`], cwd: bin, env: { PATH: '/usr/bin:/bin', PYTHONUNBUFFERED: '1' } })
    expect(plan('python', { present: [...present, `${bin}/Echo.py`] }).argv[1]).toBe(`${bin}/Echo.py`)
    expect(plan('python', { present: ['/usr/bin/python*', `${bin}/app.py`] }).file).toBe('/usr/bin/python')
    expect(plan('python', { present, env: { PYTHONUNBUFFERED: '' } }).env['PYTHONUNBUFFERED']).toBe('')
    expect(() => plan('python', { present: ['/bin/python3*', `${bin}/x`] })).toThrow(`no script to run; looked for ${['Echo.py', 'main.py', 'src/main.py', 'app.py'].map((name) => `${bin}/${name}`).join(', ')}; the package holds x`)
    expect(() => plan('python', { present: [`${bin}/app.py`] })).toThrow('looked for /usr/bin/python3, /bin/python3, /usr/bin/python, /bin/python')
  })

  const interpreted = { nodejs: ['nodejs', '/agent'], 'java-jar': ['java', `${bin}/Echo.jar`], 'java-war': ['java', `${bin}/WEB-INF/lib/a.jar`], php: ['php', `${bin}/src/index.php`], python: ['python', `${bin}/main.py`] } as const
  it.each(Object.entries(interpreted))('%s: the interpreter that the profile names, and no other', (type, [key, entry]) => {
    const at = (named: string, ...present: string[]) => plan(type as ServerType, { present: [entry, '/usr/bin/node*', '/usr/bin/java*', '/usr/bin/php*', '/usr/bin/python3*', ...present], env: { NODE_AGENT_BIN: '/agent' }, settings: { [key]: named, mainclass: 'Main' } })
    expect(at('/opt/it', '/opt/it*').file).toBe('/opt/it')
    expect(at('it-17', '/bin/it-17*').file).toBe('/bin/it-17')
    expect(() => at('/opt/it')).toThrow('no executable "/opt/it"; looked for /opt/it')
    expect(() => at('it-17')).toThrow('no executable "it-17"; looked for /usr/bin/it-17, /bin/it-17')
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
    const written = { ...settings, classpath: '/opt/jars:WEB-INF/lib/*' }
    expect(plan('java-war', { present: ['/bin/java*', '/opt/jars/b.jar', `${bin}/WEB-INF/lib/a.jar`], settings: written }).argv[3]).toBe('/opt/jars:/opt/jars/*:WEB-INF/lib/*')
    expect(() => plan('java-war', { present: ['/bin/java*'], settings })).toThrow(`nothing of the class path is there; looked for ${bin}/conf, ${bin}/WEB-INF/classes, ${bin}/WEB-INF/lib`)
    expect(() => plan('java-war', { present: ['/bin/java*'] })).toThrow('the conf has no /tars/application/server<mainclass>')
  })

  it('custom and not-tars: what the image says', () => {
    const env = { ServerLauncherFile: 'serve', ServerLauncherArgv: `serve --name "two words" 'it'\\''s'` }
    expect(plan('custom', { present: ['/bin/serve*'], env })).toMatchObject({ file: '/bin/serve', argv: ['serve', '--name', 'two words', "it's"] })
    expect(() => plan('not-tars', { present: [] })).toThrow('ServerLauncherFile is not set')
    expect(() => plan('not-tars', { present: [], env: { ServerLauncherFile: '/opt/x' } })).toThrow('names /opt/x, which is missing or not executable')
    expect(() => plan('custom', { present: [], env: { ServerLauncherFile: 'serve' } })).toThrow('no executable "serve"; looked for /usr/bin/serve, /bin/serve')
  })

  it('php and python: what the image says, which has to where only the reference runs it', () => {
    const env = { ServerLauncherFile: '/opt/run', ServerLauncherArgv: 'run --fast' }
    for (const type of ['php', 'python'] as const) expect(plan(type, { present: ['/opt/run*', `${bin}/src/index.php`, `${bin}/main.py`], env })).toEqual({ file: '/opt/run', argv: ['run', '--fast'], cwd: bin, env: { PATH: '/usr/bin:/bin', ...env } })
    expect(plan('cpp', { present: ['/opt/run*', `${bin}/Echo*`], env }).file).toBe(`${bin}/Echo`)
  })

  it('says when there is no package', () => {
    expect(() => planLaunch('cpp', { app: 'A', server: 'B', paths: { ...paths, binDir: '/nowhere' }, env: {}, setting: () => undefined, files: files() })).toThrow('the package folder /nowhere is missing')
  })
})

describe('types', () => {
  it('are those that packages are built for, and those that an image makes itself', () => {
    expect(serverTypes.toSorted()).toEqual([...builtTypes, 'custom', 'not-tars'].toSorted())
  })

  it.each(pythonEntries('Echo'))('a Python package with %s is both built and started', (entry) => {
    const inventory = new Inventory()
    inventory.add(entry, 'file')
    preflight(inventory, { serverType: 'python', server: 'Echo', architectures: ['amd64'] })
    expect(plan('python', { present: [`${bin}/${entry}`, '/bin/python3*'] }).argv[1]).toBe(`${bin}/${entry}`)
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
