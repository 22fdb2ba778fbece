import { createHash } from 'node:crypto'
import { chmod, writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { copyStripped } from '#base/elf.ts'
import { commonEnv, commonPackages, type BaseRecipe } from '../recipe.ts'

/** K8SFramework's place of node-agent, which images and templates refer to. */
const agentFolder = 'usr/local/app/tars/node-agent'

/** The launcher of Node services as one file. */
export async function bundleAgent(): Promise<string> {
  const bundle = await rolldown({ input: join(import.meta.dirname, 'agent/main.ts'), platform: 'node', logLevel: 'silent' })
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false })
  await bundle.close()
  return output[0].code
}

/**
 * The pinned Node runtime and node-agent, for type nodejs.
 * @param nodeBinary the runtime to put at /usr/bin/node
 */
export async function nodejsbase(nodeBinary: string): Promise<BaseRecipe> {
  const agent = await bundleAgent()
  return {
    name: 'nodejsbase',
    supportedTypes: ['nodejs'],
    packages: [...commonPackages],
    env: { ...commonEnv, NODE_AGENT_BIN: `/${agentFolder}/bin/node-agent` },
    revision: createHash('sha256').update(agent).update(`${process.version} stripped`).digest('hex'),
    async finish(root) {
      await mkdir(join(root, 'usr/bin'), { recursive: true })
      copyStripped(nodeBinary, join(root, 'usr/bin/node'))
      await mkdir(join(root, agentFolder, 'bin'), { recursive: true })
      await writeFile(join(root, agentFolder, 'package.json'), '{"name":"node-agent","type":"module"}\n')
      await writeFile(join(root, agentFolder, 'bin/node-agent'), agent)
      await chmod(join(root, agentFolder, 'bin/node-agent'), 0o755)
    },
  }
}
