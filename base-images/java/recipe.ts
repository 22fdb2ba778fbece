import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { commonEnv, commonPackages, type BaseRecipe } from '../recipe.ts'

/** Debian names the folder after its architecture, e.g. java-17-openjdk-amd64. */
const jvm = `usr/lib/jvm/java-17-openjdk-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`

/** A Java 17 runtime without desktop libraries, for java-jar and java-war. */
export const javabase: BaseRecipe = {
  name: 'javabase',
  supportedTypes: ['java-jar', 'java-war'],
  packages: [...commonPackages, 'openjdk-17-jre-headless'],
  env: { ...commonEnv, JAVA_HOME: `/${jvm}` },
  revision: '1',
  // update-alternatives would make this link.
  finish: (root) => symlink(`/${jvm}/bin/java`, join(root, 'usr/bin/java')),
}
