/** Work goes on this long before the event loop has its turn, milliseconds. */
const sliceMs = 3

/** Does something with each item, letting the event loop run now and then: nobody waits for long, however many they are. */
export async function inSlices<T>(items: Iterable<T>, each: (item: T) => void): Promise<void> {
  let began = performance.now()
  for (const item of items) {
    each(item)
    if (performance.now() - began < sliceMs) continue
    await new Promise(setImmediate)
    began = performance.now()
  }
}
