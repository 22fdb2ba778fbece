/** What a base image is made of: one recipe a language, in a folder of its name. */
export interface BaseRecipe {
  /** Name of its TImage and repository, e.g. `nodejsbase` (control-plane.md D.2). */
  readonly name: string
  /** Server types that run on it (TImage.supportedType). */
  readonly supportedTypes: readonly string[]
  /** Debian packages; their dependencies come along. */
  readonly packages: readonly string[]
  /** Environment of the image. */
  readonly env: Readonly<Record<string, string>>
  /** Changes whenever `finish` yields something else, so that a staged copy is made anew. */
  readonly revision: string
  /** Adds what no package holds. */
  readonly finish?: (root: string) => Promise<void>
}

/** Every base has these: C library, time zones, certificates, a small shell for `kubectl exec`. */
export const commonPackages = ['base-files', 'libc6', 'libc-bin', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'libssl3', 'zlib1g', 'tzdata', 'ca-certificates', 'dash', 'busybox-static'] as const

/** What the supervisor's layer takes its loader and libraries from: it carries its own, so that it starts in any image. */
export const supervisorLibraries: BaseRecipe = {
  name: 'supervisor-libraries',
  supportedTypes: [],
  packages: ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'],
  env: {},
  revision: '1',
}

export const commonEnv = { LANG: 'C.UTF-8', LANGUAGE: 'C.UTF-8', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' } as const
