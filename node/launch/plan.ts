import { Failure } from '#base/errors.ts'
import type { ServerPaths } from '../layout.ts'
import { planCustom } from './custom.ts'
import { planJavaJar, planJavaWar } from './java.ts'
import { planNative } from './native.ts'
import { planNodejs } from './nodejs.ts'
import { planPhp } from './php.ts'
import { planPython } from './python.ts'

/** What to execute for a service; argv[0] is the name that it sees as its own. */
export interface LaunchPlan {
  readonly file: string
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Words of the command that ends the service, run with the same program, folder and environment; where it has no AdminObj. */
  readonly stop?: readonly string[]
}

/** What the planner may look at; handed in, so that planning itself does no I/O. */
export interface LaunchFiles {
  isFile(path: string): boolean
  isDirectory(path: string): boolean
  isExecutable(path: string): boolean
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(path: string): readonly string[]
  /** Sets the execute bits; false when the file system refuses. */
  makeExecutable(path: string): boolean
}

export interface LaunchInput {
  readonly app: string
  readonly server: string
  readonly paths: ServerPaths
  /** The container's environment with the additions for the service. */
  readonly env: Readonly<Record<string, string>>
  /** A key of /tars/application/server of the rendered conf; read anew at each launch. */
  readonly setting: (key: string) => string | undefined
  readonly files: LaunchFiles
}

type Planner = (input: LaunchInput) => LaunchPlan

const planners = {
  cpp: planNative,
  go: planNative,
  'nodejs-pkg': planNative,
  nodejs: planNodejs,
  'java-jar': planJavaJar,
  'java-war': planJavaWar,
  php: planPhp,
  python: planPython,
  custom: planCustom,
  'not-tars': planCustom,
} as const satisfies Record<string, Planner>

export type ServerType = keyof typeof planners
export const serverTypes = Object.keys(planners) as readonly ServerType[]

/**
 * How to launch a service (spec A.4), by its type.
 * @throws Failure LAUNCH_*: names what is missing and where it was looked for
 */
export function planLaunch(type: ServerType, input: LaunchInput): LaunchPlan {
  if (!input.files.isDirectory(input.paths.binDir)) {
    throw new Failure('LAUNCH_NO_PACKAGE', `the package folder ${input.paths.binDir} is missing or is no folder`, { remedy: 'build the image with the package under /usr/local/server/bin' })
  }
  return plannerOf(type, input)(input)
}

/** The reference knows nothing of these types: an image that brings them there says itself how they are started, and means it. */
const saidByImages: readonly ServerType[] = ['php', 'python']

const plannerOf = (type: ServerType, { env }: LaunchInput): Planner => (saidByImages.includes(type) && (env['ServerLauncherFile'] ?? '') !== '' ? planCustom : planners[type])
