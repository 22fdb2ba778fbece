// What tarsadmin's HTTP API speaks. Types only: the CLI, the web and CI build on them.
// All times are RFC 3339 texts; all paths are below `/api/v1`.

/** Body of every refusal. */
export interface ErrorBody {
  /** Stable, upper snake case. */
  readonly code: string
  readonly message: string
  /** What can be done about it. */
  readonly remedy?: string
}

/** In one word, how a server is. */
export type ServerState =
  /** Nothing was released: nothing can run. */
  | 'Unreleased'
  /** Wanted with no pods, or all its services were stopped by command. */
  | 'Stopped'
  /** Every wanted pod answers. */
  | 'Active'
  /** On its way: nothing is known to be wrong. */
  | 'Starting'
  /** Some pods answer, some do not. */
  | 'Degraded'
  /** No pod answers, and at least one says why. */
  | 'Failing'

export interface ReleaseRow {
  readonly id: string
  readonly image: string
  readonly time?: string
}

export interface ServantRow {
  readonly name: string
  /** `App.Server.<name>` */
  readonly obj: string
  readonly port: number
  readonly isTcp: boolean
  readonly isTars: boolean
  /** It speaks TLS alone. */
  readonly isSsl?: boolean
  /** Callers show an account first. */
  readonly auth?: boolean
}

export interface PodRow {
  readonly name: string
  readonly ip: string
  readonly hostIP: string
  /** Process id of the service in its pod; empty when it does not run. */
  readonly pid: string
  /** What is wanted: Active or Inactive. */
  readonly settingState: string
  /** What is: Active, Activating, Deactivating, Inactive, Terminating, or a reason of Kubernetes such as CrashLoopBackOff. */
  readonly presentState: string
  /** Why; empty when all is well. */
  readonly message: string
  /** Starts of the service beyond the first, in this pod. */
  readonly restarts: number
  readonly releaseId: string
  readonly startTime: string
}

export interface ServerRow {
  /** Name of the TServer: `lower(app)-lower(server)`, and `-variant` for a further one of the same server. */
  readonly name: string
  readonly app: string
  readonly server: string
  readonly variant?: string
  /** Counts the changes of what is wanted of it; 0 where the cluster does not. */
  readonly generation: number
  readonly subType: string
  /** tarsnode runs it, and takes commands in its pods. */
  readonly hasNode: boolean
  /** Its template; empty for subType normal. */
  readonly type: string
  readonly release: ReleaseRow | null
  /** Pods wanted. */
  readonly replicas: number
  /** Pods that answer. */
  readonly ready: number
  readonly state: ServerState
  /** What is wrong, in one sentence; empty when nothing is. */
  readonly message: string
  readonly servants: readonly ServantRow[]
  readonly pods: readonly PodRow[]
}

/** `GET /servers[?app=&server=&variant=]` */
export interface ServerList {
  readonly servers: readonly ServerRow[]
  /** Milliseconds since the Kubernetes API last confirmed this. */
  readonly ageMs: number
}

/** `GET /pods[?server=]` */
export interface PodList {
  readonly pods: readonly (PodRow & { readonly server: string })[]
  readonly ageMs: number
}

export type ServerCommand = 'start' | 'stop' | 'restart'

/** What one pod's node answered to a command. */
export interface CommandResult {
  readonly pod: string
  readonly ok: boolean
  readonly message: string
}

/** `POST /servers/{name}/{start|stop|restart}[?pod=]`; 200 even when a pod refused: look at each `ok`. */
export interface CommandAnswer {
  readonly results: readonly CommandResult[]
}

export interface Notification {
  /** As tarsnotify prints it: `YYYY-MM-DD HH:MM:SS`. */
  readonly time: string
  /** `App.Server_node` */
  readonly serverId: string
  readonly level: 'normal' | 'warn' | 'error'
  readonly message: string
}

/** `GET /servers/{name}/notifications[?page=]` */
export interface NotificationPage {
  readonly notifications: readonly Notification[]
  /** Absent on the last page. */
  readonly nextPage?: number
}

/** Whether a port of a node is taken. */
export interface HostPort {
  readonly node: string
  /** The one that was asked for, or a free one. */
  readonly port: number
  /** null: not known, and `message` says why. */
  readonly inUse: boolean | null
  readonly message?: string
}

/** `GET /host-ports[?port=&node=]`; 200 even when a node's agent does not answer: look at each `inUse`. */
export interface HostPortList {
  readonly hostPorts: readonly HostPort[]
}

/** `GET /healthz` (not below `/api/v1`) */
export interface Health {
  readonly status: 'ok'
  readonly ageMs: number
}
