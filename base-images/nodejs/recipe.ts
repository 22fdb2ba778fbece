import { createHash } from 'node:crypto'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { copyStripped } from '#base/elf.ts'
import { fetchNpmPackage } from '../npm.ts'
import { commonEnv, commonPackages, nativePackages, type BaseRecipe, type LanguageBases, type RecipeSources } from '../recipe.ts'

/** K8SFramework's place of node-agent, which images and templates refer to. */
const agentFolder = 'usr/local/app/tars/node-agent'

/** Runtimes besides the one that the project is pinned to, by their packages of npm for x64 and arm64. */
const runtimes = {
  22: {
    version: '22.23.5',
    x64: 'sha512-3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
    arm64: 'sha512-e1LOUGKVruPGuLVutn8+Cgm5pI1APm4Kvh+zbb/qe/ZpD9s+TQby5iUgZOWmPpbSKpj0Td8DP1N0NEnXasHizg==',
  },
  24: {
    version: '24.22.3',
    x64: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
    arm64: 'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  },
} as const

/** The launcher of Node services as one file. */
export async function bundleAgent(): Promise<string> {
  const bundle = await rolldown({ input: join(import.meta.dirname, 'agent/main.ts'), platform: 'node', logLevel: 'silent' })
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false })
  await bundle.close()
  return output[0].code
}

/** A Node runtime and node-agent, for type nodejs. @param binary the runtime to put at /usr/bin/node */
async function nodeRuntime(name: string, version: string, binary: string): Promise<BaseRecipe> {
  const agent = await bundleAgent()
  return {
    name,
    supportedTypes: ['nodejs'],
    suite: 'bookworm',
    packages: [...commonPackages, ...nativePackages],
    extras: [{ name: 'node', version }],
    env: { ...commonEnv, NODE_AGENT_BIN: `/${agentFolder}/bin/node-agent` },
    revision: createHash('sha256').update(agent).update(`${version} stripped`).digest('hex'),
    async finish(root) {
      copyStripped(binary, join(root, 'usr/bin/node'))
      await symlink('node', join(root, 'usr/bin/nodejs'))
      await mkdir(join(root, agentFolder, 'bin'), { recursive: true })
      await writeFile(join(root, agentFolder, 'package.json'), '{"name":"node-agent","type":"module"}\n')
      await writeFile(join(root, agentFolder, 'bin/node-agent'), agent)
      await chmod(join(root, agentFolder, 'bin/node-agent'), 0o755)
    },
  }
}

/** The executable of a runtime that is fetched from npm. @returns its path on this machine */
export async function nodeFromNpm(release: keyof typeof runtimes, sources: Omit<RecipeSources, 'nodeBinary'>): Promise<string> {
  const { version, x64, arm64 } = runtimes[release]
  const folder = await fetchNpmPackage({ name: `node-linux-${process.arch}`, version, integrity: process.arch === 'arm64' ? arm64 : x64 }, sources)
  return join(folder, 'bin/node')
}

const fetched = (release: keyof typeof runtimes) => async (sources: RecipeSources) =>
  nodeRuntime(`nodejs${release}base`, runtimes[release].version, await nodeFromNpm(release, sources))

export const nodejs: LanguageBases = {
  standard: '26',
  versions: {
    22: fetched(22),
    24: fetched(24),
    26: ({ nodeBinary }) => nodeRuntime('nodejsbase', process.version.slice(1), nodeBinary),
  },
}
