import type { Clock } from '#base/clock.ts'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { hasProcess, initial, presentState, settingState, step, type Machine, type PresentState, type SettingState } from '../supervisor/machine.ts'
import type { Effect, Event, State } from '../supervisor/table.ts'
import { leavesCore, outcomeCode } from '../system/exit-status.ts'
import { exitReport, History, QUOTED_LINES } from './history.ts'
import { HeartbeatWatch } from './heartbeat-watch.ts'
import type { Launch, Run, SupervisorPorts } from './ports.ts'
import type { Ending } from './process.ts'

/** What is reported of the service. */
export interface View {
  readonly setting: SettingState
  readonly present: PresentState
  /** 0 when there is no process. */
  readonly pid: number
  readonly restarts: number
  readonly message: string
}

export type Command = Extract<Event, 'start' | 'stop' | 'restart' | 'quit'>

/** Interprets the state table: runs the effects, keeps the deadlines, and tells the world what changed. */
export class Supervisor {
  readonly #ports: SupervisorPorts
  readonly #log: Logger
  readonly #clock: Clock
  readonly #history = new History()
  readonly #watch: HeartbeatWatch
  #machine: Machine = initial
  #told: View | undefined
  #since: number
  #launch: Launch | undefined
  #process: Run | undefined
  /** Why a service that was spared is not ready. */
  #notice = ''
  #preparing: AbortController | undefined
  #deadline: NodeJS.Timeout | undefined
  #queue: Event[] = []
  #running = false
  /** Who waits until the service is past its drain. */
  #departed = Promise.withResolvers<void>()

  constructor(ports: SupervisorPorts, log: Logger, clock: Clock) {
    this.#ports = ports
    this.#log = log
    this.#clock = clock
    this.#since = clock.now()
    this.#watch = new HeartbeatWatch(clock, (adapters) => this.#overdue(adapters))
  }

  get view(): View {
    const present = presentState(this.#machine)
    return { setting: settingState(this.#machine), present, pid: present === 'Inactive' ? 0 : (this.#process?.pid ?? 0), restarts: this.#history.restarts, message: this.#notice || this.#history.story(this.#machine.state) }
  }

  get state(): State {
    return this.#machine.state
  }

  /** Why only a new container helps; undefined while the supervisor can do its work. */
  get helpless(): string | undefined {
    if (this.#notice !== '') return this.#notice
    return this.#machine.state === 'stuck' ? 'the service survived SIGKILL' : undefined
  }

  /** When the present state began, milliseconds since the epoch. */
  get since(): number {
    return this.#since
  }

  /** Milliseconds since each adapter was last heard of. */
  get heartbeats(): ReturnType<HeartbeatWatch['ages']> {
    return this.#watch.ages()
  }

  get heartbeatCount(): number {
    return this.#watch.count
  }

  /** Unexpected ends without a stable run in between. */
  get crashesInRow(): number {
    return this.#history.crashesInRow
  }

  /** How the last run ended; undefined before that. */
  get lastExit(): Ending | undefined {
    return this.#history.ending
  }

  /** The service crashes again and again, and is launched with growing delays. */
  get crashLoop(): boolean {
    return this.#history.crashLoop
  }

  /** The launch that the present or last process came from. */
  get launch(): Launch | undefined {
    return this.#launch
  }

  /** Wall time of the last heartbeat in seconds since the epoch, 0 before the first. */
  get latestHeartbeat(): number {
    return this.#watch.latestSeconds
  }

  command(command: Command): void {
    if (command === 'start' || command === 'restart') this.#history.pardon()
    this.#dispatch(command)
  }

  /** Leaves as at SIGTERM. @returns resolves once callers had the drain delay to go elsewhere, and the service is being stopped */
  leave(): Promise<void> {
    this.#dispatch('quit')
    return this.#departed.promise
  }

  /** Restarts a running service for this reason; one that does not run is prepared anew anyway before it does. */
  renew(reason: string): void {
    if (this.#machine.goal !== 'run' || !hasProcess(this.#machine.state)) return
    this.#history.because(reason)
    this.#dispatch('restart')
  }

  /** A heartbeat that was found genuine: from `pid` of our tree, for `adapter` or, when empty, for all of them. */
  heartbeat(kind: 'alive' | 'warming', pid: number, adapter: string): void {
    this.#process?.heardFrom(pid)
    if (this.#notice !== '') this.#resume()
    this.#watch.beat(adapter)
    this.#dispatch(kind)
  }

  ended(pid: number, word: number): void {
    this.#process?.ended(pid, word)
  }

  /** Forwards a signal to the service; false when there is none. */
  forward(signal: NodeJS.Signals): boolean {
    this.#process?.signal(signal)
    return this.#process?.running === true
  }

  #dispatch(event: Event): void {
    this.#queue.push(event)
    if (this.#running) return
    this.#running = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next)
    this.#running = false
  }

  #step(event: Event): void {
    const { machine, effects, entered } = step(this.#machine, event)
    if (machine.state !== this.#machine.state) this.#since = this.#clock.now()
    this.#machine = machine
    if (entered) clearTimeout(this.#deadline)
    for (const effect of effects) this.#effects[effect]()
    if (effects.includes('bury')) this.#reportExit(!effects.includes('blame'))
    if (entered) this.#arm()
    this.#tell(event)
    if (machine.goal === 'exit' && machine.state !== 'draining' && machine.state !== 'lingering') this.#departed.resolve()
  }

  #tell(event: Event): void {
    const [before, after] = [this.#told, this.view]
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(after)) return
    this.#told = after
    this.#log.info('state', { event, state: this.#machine.state, setting: after.setting, present: after.present, pid: after.pid, why: after.message })
    this.#ports.report(after)
  }

  /** Each state's deadline in milliseconds; a state without one waits for an event. */
  #deadlineMs(): number | undefined {
    const { state } = this.#machine
    if (state === 'waiting') return this.#history.delayMs
    const stop = this.#launch?.stop
    if (state === 'draining') return stop?.drainMs
    if (state === 'lingering') return stop?.leaveMs
    if (state === 'stopping') return stop?.shutdownMs
    if (state === 'terminating') return stop?.termMs
    return state === 'killing' ? stop?.killMs : undefined
  }

  #arm(): void {
    const ms = this.#deadlineMs()
    if (ms === undefined) return
    if (ms === 0) this.#queue.push('timeout')
    else this.#deadline = setTimeout(() => this.#dispatch('timeout'), ms)
  }

  readonly #effects: Readonly<Record<Effect, () => void>> = {
    prepare: () => void this.#prepare(),
    abandon: () => this.#preparing?.abort(),
    launch: () => this.#spawn(),
    shutdown: () => this.#askToShutDown(),
    terminate: () => this.#process?.signalGroup('SIGTERM'),
    kill: () => this.#process?.signalGroup('SIGKILL'),
    dump: () => this.#dumpThreads(),
    bury: () => this.#bury(),
    blame: () => this.#blame(),
    // After the last report of this step is on its way.
    exit: () => queueMicrotask(() => this.#exit()),
    look: () => void this.#launch?.othersServe?.().then((others) => void (others || this.#dispatch('alone'))),
  }

  async #prepare(): Promise<void> {
    const abort = new AbortController()
    this.#preparing = abort
    try {
      const launch = await this.#ports.prepare(abort.signal)
      if (abort.signal.aborted) return
      this.#launch = launch
      this.#dispatch('prepared')
    } catch (error) {
      if (abort.signal.aborted) return
      this.#history.unprepared(describe(error))
      this.#ports.notify('alarm', `cannot start: ${describe(error)}`)
      this.#dispatch('unprepared')
    }
  }

  #spawn(): void {
    const launch = this.#launch
    if (launch === undefined) throw new Error('the state table launched without a launch plan')
    this.#history.launched(this.#clock.monotonic())
    this.#ports.outOfMemory()
    this.#process = this.#ports.spawn(launch, (ending) => this.#gone(ending))
    if (!this.#process.running) return
    if (launch.heartbeats === undefined) this.#queue.push('alive')
    else this.#watchHeartbeats()
  }

  #lastEnding: Ending = { code: 0, signal: null, core: false }
  /** Of memory, in the last run. */
  #shortage: string | undefined

  #gone(ending: Ending): void {
    this.#lastEnding = ending
    this.#dispatch('gone')
  }

  #bury(): void {
    this.#watch.end()
    this.#process?.sweep()
    this.#shortage = this.#ports.outOfMemory()
    const core = this.#shortage === undefined && leavesCore(this.#lastEnding) ? this.#ports.newestCore() : undefined
    if (this.#shortage !== undefined) this.#history.because(this.#shortage)
    else if (core !== undefined) this.#history.because(`core file ${core}`)
    this.#history.ended(this.#lastEnding, this.#clock.monotonic(), this.#ports.lastLines(QUOTED_LINES))
  }

  #blame(): void {
    if (this.#ports.exitsWithService) return this.#dispatch('quit')
    this.#history.blamed(this.#clock.monotonic())
  }

  #reportExit(asked: boolean): void {
    const why = this.#shortage === undefined ? '' : ` (${this.#shortage})`
    const again = asked ? '' : `; ${this.#history.crashesInRow} in a row`
    this.#ports.notify(asked ? 'normal' : 'alarm', `server ${exitReport(this.#lastEnding)}${why}${again}`)
  }

  #askToShutDown(): void {
    this.#watch.end()
    if (this.#launch?.shutdown === undefined) return void this.#queue.push('refused')
    const asked = this.#process
    this.#launch.shutdown().catch((error: unknown) => {
      // A service that ends at once may leave the question without its answer.
      if (asked === undefined || asked !== this.#process || !asked.running) return
      this.#log.info('shutdown was refused', { error })
      this.#dispatch('refused')
    })
  }

  #dumpThreads(): void {
    if (this.#launch?.dumpSignal !== undefined) this.#process?.signal(this.#launch.dumpSignal)
  }

  #overdue(adapters: readonly string[]): void {
    const text = `heartbeat overtime of ${adapters.join(', ')}`
    const story = this.#watch.heard ? text : `${text}: none came since its launch; a program that sends none is of ServerType not-tars`
    if (this.#ports.sparesOverdue) {
      this.#notice = story
      this.#ports.notify('alarm', text)
      this.#dumpThreads()
      return this.#dispatch('warming')
    }
    this.#history.because(story)
    this.#ports.notify('alarm', `${text}, will restart process`)
    this.#dispatch('overdue')
  }

  /** A spared service beats again. */
  #resume(): void {
    this.#notice = ''
    this.#watchHeartbeats()
  }

  #watchHeartbeats(): void {
    const heartbeats = this.#launch?.heartbeats
    if (heartbeats !== undefined) this.#watch.begin(heartbeats.adapters, heartbeats)
  }

  #exit(): void {
    const ending = this.#history.ending
    this.#ports.exit(ending === undefined ? 0 : outcomeCode(ending))
  }
}
