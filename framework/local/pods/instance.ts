import type { Exit } from './namespace/process.ts'

export type { Exit } from './namespace/process.ts'

/** One run of a container: a process in namespaces, or a role inside this process. */
export interface Instance {
  /** Of its first process, as the runner sees it. */
  readonly pid: number | undefined
  /** Resolves when its program runs; rejects when it cannot. */
  readonly started: Promise<void>
  /** Resolves when all of it is gone. Never rejects. */
  readonly exited: Promise<Exit>
  /** Asks it to end (SIGTERM and the like) or ends it (SIGKILL). False when it is gone. */
  signal(name: NodeJS.Signals): boolean
}

/** What a started container is made of, for its status. */
export interface Started {
  readonly instance: Instance
  /** The image's reference and digest. */
  readonly image: string
  readonly imageID: string
  readonly stopSignal: NodeJS.Signals
}
