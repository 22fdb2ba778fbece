/** One mount inside a container's own mount namespace, in the order in which they are made. */
export type PlannedMount =
  | { readonly kind: 'bind'; /** absolute path on the host */ readonly source: string; readonly target: string; readonly readOnly: boolean; readonly recursive: boolean }
  | { readonly kind: 'proc' | 'sysfs'; readonly target: string }
  | { readonly kind: 'tmpfs'; readonly target: string; /** mount(8) options */ readonly options: string }
  | { readonly kind: 'devpts'; readonly target: string }
  | { readonly kind: 'mqueue'; readonly target: string }

/** Where a container's root file system comes from. */
export type PlannedRoot =
  | { readonly kind: 'overlay'; /** uppermost first */ readonly lower: readonly string[]; readonly upper: string; readonly work: string; readonly mountPoint: string }
  | { readonly kind: 'directory'; readonly path: string }

/** Who the process runs as; numbers only, already looked up in the image. */
export interface PlannedUser {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

/**
 * Everything that {@link file://./main.ts} does between being PID 1 of a new PID namespace and becoming the container's
 * program. Written by the runner as JSON, mode 0600.
 */
export interface LaunchPlan {
  readonly root: PlannedRoot
  readonly readOnlyRoot: boolean
  /** Overlay attributes are `user.*` because this runs in a user namespace. */
  readonly userNamespace: boolean
  readonly mounts: readonly PlannedMount[]
  readonly links: readonly { readonly path: string; readonly target: string }[]
  readonly hostname: string
  readonly argv: readonly string[]
  /** KEY=value */
  readonly env: readonly string[]
  readonly cwd: string
  readonly user: PlannedUser
  /** Capability numbers to keep (linux/capability.h), or null for all. */
  readonly capabilities: readonly number[] | null
  readonly noNewPrivileges: boolean
}

/** File descriptors of the launcher beside the usual: its reports, and what becomes the program's output. */
export const launchFds = { report: 3, stdout: 4, stderr: 5 } as const

/** What the launcher reports, one JSON line each. */
export type LaunchReport =
  | { readonly type: 'process'; /** PID as the runner sees it */ readonly pid: number }
  | { readonly type: 'executing' }
  | { readonly type: 'failed'; /** what was being done */ readonly step: string; readonly message: string; readonly code: string }
