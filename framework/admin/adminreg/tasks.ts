// Tasks: commands to many nodes, whose progress is asked for (framework-services 10.1). What they do is in the cluster; the tasks
// themselves are this process's, and end with it.
import { randomUUID } from 'node:crypto'
import { sleep } from '#base/retry.ts'
import { createTaskItemRsp, createTaskRsp, EMTaskItemStatus, EMTaskStatus, type AdminRegServant, type PatchInfo, type TaskItemReq, type TaskItemRsp, type TaskReq, type TaskRsp } from '#tars/protocol/AdminReg.ts'
import { outcomeOf, codes, plainTime, type Outcome } from './outcome.ts'

/** What items are carried out by. */
export interface TaskActions {
  start(item: TaskItemReq): Promise<Outcome>
  stop(item: TaskItemReq): Promise<Outcome>
  restart(item: TaskItemReq): Promise<Outcome>
  undeploy(item: TaskItemReq): Promise<Outcome>
  /** Begins a release. */
  release(item: TaskItemReq): Promise<Outcome>
  progress(item: TaskItemReq): Promise<PatchInfo>
  pause(item: TaskItemReq, active: boolean): Promise<number>
}

type Functions = Pick<AdminRegServant, 'addTaskReq' | 'getTaskRsp' | 'getTaskHistory' | 'setTaskItemInfo'>

/** Tasks that are remembered; the oldest ones go, also when they have more items than may run. */
const most = 500
const mostItems = 10_000
/** Characters of an item, and of what others say of it. */
const longestItem = 4096
const askEveryMs = 500
/** A release that is not there by then has failed. */
const releaseLimitMs = 10 * 60_000
/** Callers ask for the nodes of an object this often, so that after it none is sent to a paused one. */
const flowMs = 60_000

export class Tasks {
  readonly #actions: TaskActions
  readonly #signal: AbortSignal
  readonly #drainMs: number
  readonly #tasks = new Map<string, TaskRsp>()
  readonly #running = new Set<Promise<void>>()
  #runningItems = 0

  /** @param signal ends what runs @param drainMs how long callers may go on calling a paused node */
  constructor(actions: TaskActions, signal: AbortSignal, drainMs = flowMs) {
    this.#actions = actions
    this.#signal = signal
    this.#drainMs = drainMs
  }

  /** Application of an item; none: there is no such item. */
  appOf(itemNo: string): readonly string[] {
    const item = this.#item(itemNo)
    return item === undefined ? [] : [item.req.application]
  }

  #item(itemNo: string): TaskItemRsp | undefined {
    return [...this.#tasks.values()].flatMap(({ taskItemRsp }) => taskItemRsp).find(({ req }) => req.itemNo === itemNo)
  }

  /** Resolves when nothing runs any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  functions(): Functions {
    return {
      addTaskReq: (request) => this.#add(request),
      getTaskRsp: (taskNo) => {
        const task = this.#tasks.get(taskNo)
        return { return: task === undefined ? codes.parameter : codes.success, taskRsp: task ?? createTaskRsp({ taskNo }) }
      },
      getTaskHistory: (app, server, command) => ({
        return: codes.success,
        taskRsps: [...this.#tasks.values()].reverse().filter(({ taskItemRsp }) => taskItemRsp.some(({ req }) => req.application === app && req.serverName === server && (command === '' || req.command === command))),
      }),
      setTaskItemInfo: (itemNo, info) => this.#note(itemNo, info),
    }
  }

  #add(request: TaskReq): number {
    if (request.taskItemReq.length === 0 || `${request.taskNo}${request.userName}`.length > longestItem || this.#runningItems + request.taskItemReq.length > mostItems || !request.taskItemReq.every(isShort)) return codes.parameter
    const taskNo = request.taskNo === '' ? randomUUID().replaceAll('-', '') : request.taskNo
    if (this.#tasks.has(taskNo)) return codes.parameter
    const items = request.taskItemReq.map((item) => createTaskItemRsp({ statusInfo: 'EM_I_NOT_START', req: { ...item, taskNo, itemNo: item.itemNo === '' ? randomUUID().replaceAll('-', '') : item.itemNo } }))
    const task = createTaskRsp({ taskItemRsp: items, taskNo, serial: request.serial, userName: request.userName, status: EMTaskStatus.EM_T_RUNNING, createTime: now() })
    this.#tasks.set(taskNo, task)
    this.#forgetOldest()
    this.#runningItems += items.length
    const running = this.#run(task, request).finally(() => {
      this.#runningItems -= items.length
      this.#running.delete(running)
    })
    this.#running.add(running)
    return codes.success
  }

  #forgetOldest(): void {
    let items = [...this.#tasks.values()].reduce((sum, { taskItemRsp }) => sum + taskItemRsp.length, 0)
    for (const [taskNo, { taskItemRsp }] of this.#tasks) {
      if (this.#tasks.size <= most && items <= mostItems) break
      this.#tasks.delete(taskNo)
      items -= taskItemRsp.length
    }
  }

  async #run(task: TaskRsp, { serial, eachNum, isElegant }: TaskReq): Promise<void> {
    const atOnce = serial ? 1 : isElegant ? Math.max(1, eachNum) : task.taskItemRsp.length
    for (let first = 0; first < task.taskItemRsp.length && !this.#signal.aborted; first += atOnce) {
      const batch = task.taskItemRsp.slice(first, first + atOnce)
      if (isElegant) await this.#drain(batch)
      // What was to be drained and is not, as all ends here, stays as it is.
      if (!this.#signal.aborted) await Promise.all(batch.map((item) => this.#carryOut(item)))
      if (isElegant) await Promise.all(batch.map((item) => this.#actions.pause(item.req, true)))
      if (serial && batch.some(({ status }) => status === EMTaskItemStatus.EM_I_FAILED)) break
    }
    for (const item of task.taskItemRsp) if (item.startTime === '') become(item, 'EM_I_CANCEL')
    task.status = statusOf(task.taskItemRsp)
  }

  /** Sends callers elsewhere, and waits until they know. */
  async #drain(batch: readonly TaskItemRsp[]): Promise<void> {
    for (const item of batch) become(item, 'EM_I_PAUSE_FLOW')
    await Promise.all(batch.map((item) => this.#actions.pause(item.req, false)))
    await sleep(this.#drainMs, this.#signal).catch(() => {})
  }

  async #carryOut(item: TaskItemRsp): Promise<void> {
    become(item, 'EM_I_RUNNING')
    item.startTime = now()
    const { return: code, result } = await this.#execute(item).catch(outcomeOf)
    become(item, code === codes.success ? 'EM_I_SUCCESS' : 'EM_I_FAILED')
    item.executeLog = result.slice(0, longestItem)
    item.endTime = now()
    if (code === codes.success) item.percent = 100
  }

  async #execute(item: TaskItemRsp): Promise<Outcome> {
    const { start, stop, restart, undeploy } = this.#actions
    const simple: Readonly<Record<string, (item: TaskItemReq) => Promise<Outcome>>> = { start, stop, restart, undeploy_tars: undeploy }
    const action = simple[item.req.command]
    if (action !== undefined) return action(item.req)
    if (item.req.command === 'patch_tars') return this.#release(item)
    return { return: codes.parameter, result: `there is no command ${item.req.command}; use start, stop, restart, patch_tars or undeploy_tars` }
  }

  async #release(item: TaskItemRsp): Promise<Outcome> {
    const begun = await this.#actions.release(item.req)
    if (begun.return !== codes.success) return begun
    const deadline = performance.now() + releaseLimitMs
    for (;;) {
      const { bPatching, iPercent, bSucc, sResult } = await this.#actions.progress(item.req)
      item.percent = iPercent
      item.executeLog = sResult.slice(0, longestItem)
      if (bSucc) return begun
      if (!bPatching || performance.now() > deadline) return { return: codes.unknown, result: sResult }
      await sleep(askEveryMs, this.#signal)
    }
  }

  #note(itemNo: string, info: ReadonlyMap<string, string>): number {
    const item = this.#item(itemNo)
    if (item === undefined) return codes.parameter
    const text = info.get('log') ?? info.get('executeLog')
    if (text !== undefined) item.executeLog = text.slice(0, longestItem)
    return codes.success
  }
}

/** Clients compare the name, so that what is to be said of an item is in its log. */
function become(item: TaskItemRsp, status: keyof typeof EMTaskItemStatus): void {
  item.status = EMTaskItemStatus[status]
  item.statusInfo = status
}

function isShort({ parameters, ...texts }: TaskItemReq): boolean {
  return [...Object.values(texts), ...parameters].join().length <= longestItem
}

const now = (): string => plainTime(new Date().toISOString())

function statusOf(items: readonly TaskItemRsp[]): EMTaskStatus {
  const good = items.filter(({ status }) => status === EMTaskItemStatus.EM_I_SUCCESS).length
  return good === items.length ? EMTaskStatus.EM_T_SUCCESS : good > 0 ? EMTaskStatus.EM_T_PARIAL : EMTaskStatus.EM_T_FAILED
}
