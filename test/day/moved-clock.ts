// Imported before a role: the wall clock of its process is what the launcher says, and stands still in between. The monotonic
// clock, and with it every timer, goes on. Each word is answered, so that the launcher knows when it holds.
let now = Number(process.env['TARSK8S_TEST_NOW'])

const RealDate = Date

class MovedDate extends RealDate {
  constructor(...parts: readonly [] | readonly [number]) {
    super(...((parts.length === 0 ? [now] : parts) as [number]))
  }

  static override now(): number {
    return now
  }
}
globalThis.Date = MovedDate as DateConstructor

process.on('message', ({ now: said }: { readonly now: number }) => {
  now = said
  process.send?.({ now })
})
process.channel?.unref()
