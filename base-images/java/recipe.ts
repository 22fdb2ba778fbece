import { glob, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { hostArchitecture } from '../debian.ts'
import type { Suite } from '../debian-sources.ts'
import { commonEnv, commonPackages, type BaseRecipe, type LanguageBases } from '../recipe.ts'
import { writeTrustStore } from './truststore.ts'

/** Printers, sound, smart cards and desktops: loaded on demand only, and no server has them. */
const desktop = ['ca-certificates-java', 'java-common', 'libasound2', 'libasound2t64', 'libcups2', 'libcups2t64', 'libnss3', 'libpcsclite1', 'libxtst6', 'libxi6', 'libxrender1', 'libxext6', 'libx11-6']

/** What needs those, what only compilers read, and the class archive for heaps over 32 GB (they start without one). */
const unused = ['lib{awt_xawt,jawt,splashscreen,jsound,j2pcsc}.so', 'ct.sym', 'classes_nocoops.jsa']

/** A Java runtime without desktop libraries, for java-jar and java-war. */
function javaRuntime(name: string, version: number, suite: Suite): BaseRecipe {
  // Debian names the folder after its architecture, e.g. java-17-openjdk-amd64.
  const home = `java-${version}-openjdk-${hostArchitecture}`
  return {
    name,
    supportedTypes: ['java-jar', 'java-war'],
    suite,
    // Text is drawn by these, e.g. in pictures that prove a person; they are dependencies in some suites only.
    packages: [...commonPackages, `openjdk-${version}-jre-headless`, 'libfontconfig1', 'libfreetype6', 'libharfbuzz0b', 'fonts-dejavu-core'],
    without: desktop,
    env: { ...commonEnv, JAVA_HOME: '/usr/lib/jvm/java' },
    revision: '6',
    async finish(root) {
      // update-alternatives and ca-certificates-java would make these.
      await symlink(home, join(root, 'usr/lib/jvm/java'))
      const bin = version === 8 ? `${home}/jre/bin` : `${home}/bin`
      for (const program of ['java', 'keytool']) await symlink(`/usr/lib/jvm/${bin}/${program}`, join(root, 'usr/bin', program))
      for await (const file of glob(unused.map((name) => `usr/lib/jvm/**/${name}`), { cwd: root })) await rm(join(root, file))
      await writeTrustStore(root)
    },
  }
}

export const java: LanguageBases = {
  standard: '17',
  versions: {
    // In sid only: its content changes with the day it is first built on a machine.
    8: () => javaRuntime('java8base', 8, 'sid'),
    11: () => javaRuntime('java11base', 11, 'bullseye'),
    17: () => javaRuntime('javabase', 17, 'bookworm'),
    21: () => javaRuntime('java21base', 21, 'trixie'),
  },
}
