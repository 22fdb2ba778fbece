/** What a probe has found: none of these is anything. */
export type Something<T> = Exclude<T, undefined | null | false | '' | 0>

/** Between two looks, milliseconds. */
const lookMs = 20
/** Longest wait for something that has a name, milliseconds: so that its name is told before the test's own time limit ends it. */
const patienceMs = 120_000

/**
 * Waits until `probe` gives something, and looks again whenever a little time has passed.
 * @param what it waits for; without it the test's own time limit ends a wait in vain
 * @throws whatever `probe` throws, and when there is nothing after `limitMs`
 */
export async function eventually<T>(probe: () => T | Promise<T>, what?: string, limitMs = what === undefined ? Infinity : patienceMs): Promise<Something<T>> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const value = await probe()
    if (value) return value as Something<T>
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}
