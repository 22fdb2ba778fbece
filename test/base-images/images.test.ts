// Every base image as a cluster gets it: built from Debian packages, pushed, pulled, unpacked and used as its non-root user.
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { createReadStream, globSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { baseNames, chooseBaseImage } from '../../base-images/catalog.ts'
import { contentsFile, stageBase } from '../../base-images/rootfs.ts'
import type { BaseRecipe } from '../../base-images/recipe.ts'
import { keptLayer, publishBase } from '../../framework/local/base-image.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import { Images } from '../../framework/local/pods/images.ts'
import { ElfLinks } from '../../imagebuilder/package/elf-links.ts'
import { installDefinition, startTestCluster, type TestCluster } from '../rig/kube.ts'
import { exitCode, PidNamespace } from '../rig/pidns.ts'
import { cacheDir, debianTool } from '../rig/tools.ts'

/** Longest first build of one image, with everything to fetch. */
const BUILD_MS = 900_000
const kept = join(cacheDir, 'local')
const sources = { cacheDir: kept, nodeBinary: process.execPath }
/** The user that every base has. */
const tars = 1000

let folder: string
let registry: OciRegistry
let cluster: TestCluster
let images: Images
let namespace: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-bases-'))
  registry = await startOciRegistry({ dir: join(folder, 'registry') })
  cluster = await startTestCluster()
  for (const definition of customResourceDefinitions()) await installDefinition(cluster.client, definition as never)
  namespace = await cluster.namespace()
  images = new Images(join(folder, 'images'), false)
  await images.open()
})
afterAll(async () => {
  await cluster?.stop()
  await registry?.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Pulled {
  readonly recipe: BaseRecipe
  readonly image: string
  /** Folders of its layers, uppermost first. */
  readonly layers: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly timage: TImage
}

/** Builds an image into the registry and pulls it from there. */
async function pulled(name: string, debug = false): Promise<Pulled> {
  const recipe = await chooseBaseImage(name).recipe(sources)
  const image = await publishBase(cluster.client, namespace, chooseBaseImage(name), { ...sources, debug, registry: registry.address })
  const { layers, config } = await images.obtain(image, 'IfNotPresent', () => undefined, () => {})
  const env = Object.fromEntries((config.Env ?? []).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  return { recipe, image, layers, env, timage: (await cluster.client.get(resources.timages, { namespace, name: recipe.name })) as TImage }
}

/** Runs a command in the image, as its user, with what its configuration sets and nothing of this machine. @returns all that it said */
async function inside(root: string, env: Readonly<Record<string, string>>, ...argv: readonly string[]): Promise<string> {
  const space = new PidNamespace({ argv, root, user: tars, env: { HOME: '/tmp', ...env } })
  const code = exitCode(await space.ended)
  expect({ argv, code, said: space.stderr }).toMatchObject({ code: 0 })
  return space.stdout + space.stderr
}

const filesOf = (root: string): string[] => globSync('**/*', { cwd: root }).filter((path) => lstatSync(join(root, path)).isFile())

/** Libraries that a file of the image names and the image has not, as `file: library`. */
async function missingLibraries(root: string): Promise<string[]> {
  const files = filesOf(root)
  const there = new Set(globSync('**/*', { cwd: root }).map((path) => basename(path)))
  const missing: string[] = []
  for (const file of files.filter((path) => /\.so(\.|$)|(^|\/)s?bin\//.test(path))) {
    const links = new ElfLinks()
    for await (const piece of createReadStream(join(root, file))) links.see(piece as Buffer)
    for (const name of links.names() ?? []) if (!there.has(name)) missing.push(`${basename(file)}: ${name}`)
  }
  return missing
}

/** Says what an executable without libraries finds around it. */
const surroundings = `package main

import (
\t"crypto/x509"
\t"fmt"
\t"os/user"
\t"time"
)

func main() {
\tpool, err := x509.SystemCertPool()
\tzone, zoneErr := time.LoadLocation("Asia/Shanghai")
\tself, userErr := user.Current()
\tfmt.Println(!pool.Equal(x509.NewCertPool()), zone, self.Username, err, zoneErr, userErr)
}
`

/** What it takes to be that version of that language: commands and what they say. */
const proofs: Readonly<Record<string, readonly (readonly [argv: readonly string[], says: RegExp])[]>> = {
  nodejs: [[['node', '-p', 'process.version'], new RegExp(`^${process.version}$`, 'm')]],
  'nodejs:22': [[['node', '-p', 'process.version'], /^v22\./m]],
  'nodejs:24': [[['node', '-p', 'process.version'], /^v24\./m]],
  java: javaProof('17'),
  'java:8': javaProof('1.8'),
  'java:11': javaProof('11'),
  'java:21': javaProof('21'),
  php: [
    [['php', '-v'], /^PHP 8\./m],
    [['php', '-r', 'echo implode(" ", get_loaded_extensions());'], /^(?=.*\bcurl\b)(?=.*\bigbinary\b)(?=.*\bmbstring\b)(?=.*\bopenssl\b)(?=.*\bpcntl\b)(?=.*\bposix\b)(?=.*\bredis\b)(?=.*\bsockets\b)(?=.*\bxml\b)(?=.*\bzip\b)(?=.*\bzstd\b)/m],
    [['php', '-d', 'date.timezone=PRC', '-r', 'echo date("T"), openssl_get_cert_locations()["default_cert_dir"], igbinary_unserialize(igbinary_serialize("ok"));'], /CST.*ok/],
  ],
  python: [
    [['python3', '-V'], /^Python 3\./m],
    [['python3', '-c', 'import bz2,ctypes,decimal,lzma,readline,sqlite3,ssl,zlib,zoneinfo; print(zoneinfo.ZoneInfo("PRC"), ssl.create_default_context().cert_store_stats()["x509_ca"])'], /^PRC 1\d\d$/m],
  ],
}

function javaProof(version: string): (typeof proofs)[string] {
  return [
    [['java', '-version'], new RegExp(`version "${version.replace('.', '\\.')}\\.`)],
    [['sh', '-c', 'test -x "$JAVA_HOME"/bin/java -o -x "$JAVA_HOME"/jre/bin/java && keytool -list -keystore /etc/ssl/certs/java/cacerts -storepass changeit'], /contains 1\d\d entries/],
  ]
}

describe.each(baseNames)('%s', { timeout: BUILD_MS }, (name) => {
  let base: Pulled
  let root: string
  beforeAll(async () => {
    base = await pulled(name)
    root = base.layers[0] ?? ''
  }, BUILD_MS)
  const hasPrograms = name !== 'static'

  it('is one layer, and a TImage of the types that run on it', () => {
    expect(base.layers).toHaveLength(1)
    expect(base.timage).toMatchObject({ imageType: 'base', supportedType: base.recipe.supportedTypes, releases: [{ image: base.image }] })
    expect(base.env).toEqual(base.recipe.env)
  })

  it('is as large as README.md says', async () => {
    const row = new RegExp(`^\\| \`${name}\` \\| \`${base.recipe.name}\` \\|.*\\| ([\\d.]+) \\|.*\\|.*\\|$`, 'm').exec(readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8'))
    const { size } = await keptLayer((await stageBase(base.recipe, sources)).root)
    // Packages grow a little with the fixes that they get.
    expect(Math.abs(size / 1e6 / Number(row?.[1]) - 1)).toBeLessThan(0.1)
  })

  it('has certificates, time zones and a user', () => {
    const bundle = readFileSync(join(root, 'etc/ssl/certs/ca-certificates.crt'), 'utf8').match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? []
    expect(bundle.map((pem) => new X509Certificate(pem).ca).filter(Boolean).length).toBeGreaterThan(100)
    expect(readFileSync(join(root, 'usr/share/zoneinfo/Asia/Shanghai'), 'latin1')).toMatch(/^TZif/)
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^tars:x:1000:1000:/m)
  })

  it('says what it is made of', () => {
    const names = readFileSync(join(root, contentsFile), 'utf8').trimEnd().split('\n').map((line) => line.split(' ')[0] ?? '')
    expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)))
    expect(names).toEqual(expect.arrayContaining([...base.recipe.packages, ...(base.recipe.extras ?? []).map((extra) => extra.name)]))
  })

  it('has no file that gives rights, and none that all may write', () => {
    const found = globSync('**/*', { cwd: root }).filter((path) => {
      const stat = lstatSync(join(root, path))
      return !stat.isSymbolicLink() && ((stat.mode & 0o6000) !== 0 || (path !== 'tmp' && (stat.mode & 0o002) !== 0))
    })
    expect(found).toEqual([])
    expect(lstatSync(join(root, 'tmp')).mode & 0o7777).toBe(0o1777)
  })

  it('has every library that its programs ask for', async () => {
    expect(await missingLibraries(root)).toEqual([])
  })

  it('has no documentation, headers or static libraries', () => {
    expect(globSync(['usr/share/{doc,man,locale}/*', 'usr/include', '**/*.a', '**/__pycache__'], { cwd: root })).toEqual([])
  })

  if (hasPrograms) it('has a shell with its programs, and the locale', async () => {
    expect(await inside(root, base.env, '/bin/sh', '-c', 'id -un; locale charmap; TZ=Asia/Shanghai date +%Z; ls -l /etc/hosts | awk \'{print $1}\'')).toBe('tars\nUTF-8\nCST\n-rw-r--r--\n')
    const links = globSync('usr/bin/*', { cwd: root }).filter((path) => lstatSync(join(root, path)).isSymbolicLink() && readlinkSync(join(root, path)) === 'busybox')
    const applets = (await inside(root, base.env, '/bin/busybox', '--list')).split('\n')
    expect(links.map((path) => basename(path)).filter((link) => !applets.includes(link))).toEqual([])
  })

  if (proofs[name] !== undefined) it('runs its language', async () => {
    for (const [argv, says] of proofs[name] ?? []) expect(await inside(root, base.env, ...argv)).toMatch(says)
  })

  if (!hasPrograms) {
    it('has no program and no library', () => {
      expect(filesOf(root).filter((path) => (lstatSync(join(root, path)).mode & 0o111) !== 0 || /\.so(\.|$)/.test(path))).toEqual([])
    })

    it('is enough for a static executable', async () => {
      writeFileSync(join(folder, 'main.go'), surroundings)
      const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GOCACHE: join(cacheDir, 'go-build') }
      await promisify(execFile)(await debianTool('go', 'golang-go'), ['build', '-o', join(root, 'usr/local/server/bin/Static'), join(folder, 'main.go')], { env })
      expect(await inside(root, base.env, '/usr/local/server/bin/Static')).toBe('true Asia/Shanghai tars <nil> <nil> <nil>\n')
    })
  }
})

describe('debug variants', { timeout: BUILD_MS }, () => {
  it.each(['static', 'php'])('%s: the tools are one more layer, and a release of its own', async (name) => {
    const { image, layers, env, timage } = await pulled(name, true)
    expect(image).toMatch(/-debug$/)
    expect(timage.releases?.map((release) => release.image)).toEqual([image.slice(0, -'-debug'.length), image])
    expect(layers).toHaveLength(2)
    const tools = ['gdb --version', 'strace -V', 'tcpdump --version', 'curl --version', 'vi --version', 'ip -V', 'ps -V', 'ld --version', 'bash --version']
    const script = `mkdir -p ${folder}/merged && mount -t overlay overlay -o lowerdir=${layers.join(':')} ${folder}/merged && mount -t proc proc ${folder}/merged/proc && exec chroot ${folder}/merged /bin/bash -ec '${tools.join(' && ')} && cat /${contentsFile}'`
    const space = new PidNamespace({ argv: ['/bin/sh', '-c', script], env })
    expect(exitCode(await space.ended), space.stderr).toBe(0)
    expect(space.stdout).toMatch(/GNU gdb[^]*strace[^]*tcpdump[^]*curl[^]*VIM[^]*^gdb \d/m)
  })
})
