import type { DebianPackage } from './debian.ts'
import type { Suite } from './debian-sources.ts'

/** What a base image is made of. A language has its recipes, one a version, in `recipe.ts` of a folder of its name. */
export interface BaseRecipe {
  /** Name of its TImage and repository, e.g. `nodejsbase` (control-plane.md D.2). */
  readonly name: string
  /** Server types that run on it (TImage.supportedType). */
  readonly supportedTypes: readonly string[]
  /** Release of Debian that all its packages are of, so that they have one C library; default: this machine's. */
  readonly suite?: Suite
  /** Debian packages; their dependencies come along. */
  readonly packages: readonly string[]
  /** Dependencies that do not come along, besides {@link setupPackages}. */
  readonly without?: readonly string[]
  /** What it has besides packages, for the list of its contents. */
  readonly extras?: readonly DebianPackage[]
  /** Environment of the image. */
  readonly env: Readonly<Record<string, string>>
  /** Changes whenever `finish` yields something else, so that a staged copy is made anew. */
  readonly revision: string
  /** Adds what no package holds. */
  readonly finish?: (root: string) => Promise<void>
}

/** What recipes take from outside of Debian. */
export interface RecipeSources {
  /** The runtime that the project itself is pinned to. */
  readonly nodeBinary: string
  /** Folder that keeps what was fetched. */
  readonly cacheDir: string
  readonly signal?: AbortSignal
}

type MakeRecipe = (sources: RecipeSources) => BaseRecipe | Promise<BaseRecipe>

/** The base images of one language. */
export interface LanguageBases {
  /** The version that is meant where none is named. */
  readonly standard: string
  readonly versions: Readonly<Record<string, MakeRecipe>>
}

/** Of every base: certificates, time zones, and names of the release. */
export const dataPackages = ['base-files', 'ca-certificates', 'tzdata'] as const
/** Of every base but the static one: the C library with its C.UTF-8 locale, a small shell and its programs for `kubectl exec`. */
export const commonPackages = [...dataPackages, 'libc6', 'libc-bin', 'dash', 'busybox-static'] as const
/** Of bases whose programs are native code. */
export const nativePackages = ['libstdc++6', 'libgcc-s1', 'libatomic1', 'zlib1g'] as const

/** What Debian needs to install packages, not to run them; here they are unpacked by the builder. */
export const setupPackages = ['adduser', 'awk', 'debconf', 'debianutils', 'dpkg', 'init-system-helpers', 'login', 'lsb-base', 'openssl', 'passwd', 'perl-base', 'sensible-utils', 'sysvinit-utils', 'tar', 'ucf', 'util-linux', 'x11-common'] as const

/** What the debug variant of a base has besides. */
export const debugPackages = ['bash', 'binutils', 'busybox-static', 'curl', 'gdb', 'iproute2', 'iputils-ping', 'less', 'net-tools', 'openssl', 'procps', 'strace', 'tcpdump', 'vim-tiny'] as const

/** What the supervisor's layer takes its loader and libraries from: it carries its own, so that it starts in any image. */
export const supervisorLibraries: BaseRecipe = {
  name: 'supervisor-libraries',
  supportedTypes: [],
  packages: ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'],
  env: {},
  revision: '1',
}

export const commonEnv = { LANG: 'C.UTF-8', LANGUAGE: 'C.UTF-8', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' } as const
