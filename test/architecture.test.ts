// The arrows of the architecture, held: which room may import which, where process.* may appear, which packages a room uses.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const sources = globSync('{node,imagebuilder,base-images,framework}/**/*.{ts,tsx}', { cwd: root }).filter((file) => !file.includes('node_modules') && !file.includes('/samples/hello/'))

const rooms = ['node', 'imagebuilder', 'base-images', 'framework/lib/base', 'framework/lib/tars', 'framework/lib/kube', 'framework/lib/api', 'framework/lib/store', 'framework/cli', 'framework/registry', 'framework/config', 'framework/notify', 'framework/log', 'framework/stat', 'framework/property', 'framework/query', 'framework/kevent', 'framework/admin', 'framework/web', 'framework/agent', 'framework/controller', 'framework/local', 'framework/images', 'framework/charts', 'framework/seed', 'framework/main.ts']

/** Which rooms a room may import besides itself. `framework/main.ts` and `framework/local` co-host roles, `framework/images` and `framework/charts` pack them; they may import all. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'framework/lib/base': [],
  'framework/lib/tars': ['framework/lib/base'],
  'framework/lib/kube': ['framework/lib/base'],
  'framework/lib/api': ['framework/lib/base'],
  'framework/lib/store': ['framework/lib/base'],
  node: ['framework/lib/base', 'framework/lib/tars'],
  imagebuilder: ['framework/lib/base', 'framework/lib/kube', 'framework/lib/api'],
  'base-images': ['framework/lib/base', 'framework/lib/tars'],
}
const allRooms = ['framework/main.ts', 'framework/local', 'framework/images', 'framework/charts']
const libs = ['framework/lib/base', 'framework/lib/tars', 'framework/lib/kube', 'framework/lib/api', 'framework/lib/store']

/** npm packages a room may use, each with its reason. Built-in modules are free. */
const packages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  node: { pidusage: 'CPU and memory of processes, for the command top', rolldown: 'build time only: bundles the supervisor into one file' },
  imagebuilder: { dockerode: 'the Docker engine as a destination', fastify: 'HTTP endpoint', '@fastify/multipart': 'streams uploads', '@fastify/swagger': 'the OpenAPI document', '@tus/server': 'resumable uploads', '@tus/file-store': 'resumable uploads', 'packageurl-js': 'names of components', '@noble/ciphers': 'encrypted keys of cosign' },
  'base-images': { execa: 'runs apt-get, dpkg-deb and tar', rolldown: 'bundles node-agent into one file' },
  'framework/lib/kube': { yaml: 'kubeconfig files', 'node-forge': 'X.509 certificates' },
  'framework/images': { rolldown: 'bundles the roles into few files' },
  'framework/charts': { 'tar-stream': 'packs charts' },
  'framework/controller': { bcryptjs: 'hashes of passwords' },
  'framework/admin': { fastify: 'HTTP API' },
  'framework/agent': { '@grpc/grpc-js': "the container runtime's image service", croner: 'cron expressions', fastify: 'HTTP endpoint', yaml: 'cleaning rules' },
  'framework/local': { execa: 'runs mount, unshare and npm', 'tar-stream': 'unpacks layers', 'fast-json-patch': 'JSON patch', '@marcbachmann/cel-js': 'rules of CRDs and match conditions of webhooks', yaml: 'kubeconfig and manifests', rolldown: 'packs the sample services' },
}

function roomOf(file: string): string | undefined {
  return rooms.find((room) => file === room || file.startsWith(`${room}/`))
}

interface Import {
  readonly file: string
  readonly specifier: string
  readonly typeOnly: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const pattern = /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g
  return [...text.matchAll(pattern)].map((match) => ({ file, specifier: match[2] ?? match[3] ?? '', typeOnly: match[1] !== undefined }))
}

/** The repository path a specifier leads to, or undefined for packages and built-in modules. */
function targetOf({ file, specifier }: Import): string | undefined {
  if (specifier.startsWith('.')) return relative(root, join(root, dirname(file), specifier))
  const lib = /^#(base|tars|kube|api|store)\/(.+)$/.exec(specifier)
  return lib === null ? undefined : `framework/lib/${lib[1]}/${lib[2]}`
}

function packageOf(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

const imports = sources.flatMap(importsOf)

function allowed(from: string, to: string, { typeOnly, specifier }: Import): boolean {
  if (from === to || allRooms.includes(from)) return true
  if (from === 'framework/cli' && to === 'framework/admin' && typeOnly && specifier.endsWith('contract.ts')) return true
  return (mayImport[from] ?? libs).includes(to)
}

describe('architecture', () => {
  it('knows every source file a room', () => {
    expect(sources.filter((file) => roomOf(file) === undefined)).toEqual([])
  })

  it('imports only along the arrows', () => {
    const wrong = imports.filter((entry) => {
      const target = targetOf(entry)
      if (target === undefined) return false
      const to = roomOf(target)
      return to === undefined || !allowed(roomOf(entry.file) ?? '', to, entry)
    })
    expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([])
  })

  it('imports only files that exist', () => {
    expect(imports.map(targetOf).filter((target) => target !== undefined && !existsSync(join(root, target)))).toEqual([])
  })

  it('uses only the packages allowed to its room', () => {
    const wrong = imports.filter((entry) => {
      if (entry.typeOnly || targetOf(entry) !== undefined || entry.specifier.startsWith('node:')) return false
      return packages[roomOf(entry.file) ?? '']?.[packageOf(entry.specifier)] === undefined
    })
    expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([])
  })

  it('allows no package that a room does not use', () => {
    const used = new Set(imports.filter((entry) => targetOf(entry) === undefined).map((entry) => `${roomOf(entry.file)} ${packageOf(entry.specifier)}`))
    expect(Object.entries(packages).flatMap(([room, names]) => Object.keys(names).map((name) => `${room} ${name}`)).filter((entry) => !used.has(entry))).toEqual([])
  })

  it('reads the environment and exits only in main and env files', () => {
    const wrong = sources.filter((file) => !/(^|\/)(main|env)\.ts$/.test(file) && /\bprocess\.(env|exit)\b/.test(withoutComments(readFileSync(join(root, file), 'utf8'))))
    expect(wrong).toEqual([])
  })

  it('keeps pure code pure', () => {
    const pure = sources.filter((file) => /^(node\/(supervisor|server-config)|framework\/controller\/desired|framework\/lib\/api|framework\/lib\/tars\/codec)\//.test(file) || file === 'framework/lib/tars/conf.ts')
    const impure = /from 'node:(fs|net|http|https|child_process|dgram|timers)|\bprocess\.|\bDate\.now\(|\bnew Date\(\)|performance\.now|setTimeout\(|setInterval\(/
    expect(pure.length).toBeGreaterThan(0)
    expect(pure.filter((file) => impure.test(withoutComments(readFileSync(join(root, file), 'utf8'))))).toEqual([])
  })

  it('has no file over 500 lines, and no generated code by hand', () => {
    expect(sources.filter((file) => !file.includes('/protocol/') && readFileSync(join(root, file), 'utf8').split('\n').length > 501)).toEqual([])
  })

  it('takes names that pods send apart into a few parts: of a megabyte of dots nobody makes a million', () => {
    const roles = ['registry', 'config', 'notify', 'log', 'stat', 'property', 'query'].map((room) => `framework/${room}/`)
    const unbounded = sources.filter((file) => roles.some((room) => file.startsWith(room)) && readFileSync(join(root, file), 'utf8').includes(".split('.')"))
    expect(unbounded).toEqual([])
  })
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
}
