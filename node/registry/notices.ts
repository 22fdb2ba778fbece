import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Communicator } from '#tars/client.ts'
import { ret, TarsCallError } from '#tars/packet.ts'
import { createReportInfo, Notify, NOTIFYLEVEL, ReportType, type NotifyProxy } from '#tars/protocol/NotifyF.ts'
import type { Settings } from '../env.ts'
import type { NoticeLevel } from '../service/ports.ts'

const NOTIFY_OBJ = 'tars.tarsnotify.NotifyObj'
/** The thread id that the reference reports under. */
const THREAD = '-1'
/** At most this many notices a minute; a crash loop tells its story through the state's message. */
const PER_MINUTE = 20
const MINUTE_MS = 60_000

/** The tag that the level is told from where a notification has none of its own (spec A.10), and the level that it has otherwise. */
const levels = { alarm: NOTIFYLEVEL.NOTIFYERROR, normal: NOTIFYLEVEL.NOTIFYNORMAL } as const satisfies Record<NoticeLevel, number>

/** Tells tarsnotify what happened, in today's form and in the one that older ones understand; once and at best. */
export class Notices {
  readonly #notify: NotifyProxy
  readonly #settings: Settings
  readonly #log: Logger
  #sent: number[] = []

  constructor(communicator: Communicator, settings: Settings, log: Logger) {
    this.#notify = communicator.proxy<NotifyProxy>(Notify, NOTIFY_OBJ)
    this.#settings = settings
    this.#log = log
  }

  tell(level: NoticeLevel, text: string): void {
    const now = performance.now()
    this.#sent = this.#sent.filter((time) => now - time < MINUTE_MS)
    if (this.#sent.length >= PER_MINUTE) return
    this.#sent.push(now)
    this.#send(level, `[${level}] ${text}`).catch((error: unknown) => this.#log.info('tarsnotify was not told', { reason: describe(error) }))
  }

  async #send(level: NoticeLevel, sMessage: string): Promise<void> {
    const { app, server, podName } = this.#settings
    const context = { SERVER_HOST_NAME: podName }
    const info = createReportInfo({ eType: ReportType.NOTIFY, eLevel: levels[level], sApp: app, sServer: server, sNodeName: podName, sThreadId: THREAD, sMessage })
    // The newer function first; a tarsnotify that does not know it gets the older one. Never both: one event, one line.
    await this.#notify.reportNotifyInfo(info, { context }).catch((error: unknown) => {
      if (!(error instanceof TarsCallError) || error.ret !== ret.noFunction) throw error
      return this.#notify.reportServer(`${app}.${server}`, THREAD, sMessage, { context })
    })
  }
}
