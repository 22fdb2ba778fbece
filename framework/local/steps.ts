/** Shows what is being done and how long each step took. */
export interface Steps {
  /** Runs one step; its line is written when it ends. */
  run<T>(name: string, work: () => Promise<T>): Promise<T>
  /** All steps so far with their seconds. */
  readonly taken: readonly { readonly name: string; readonly seconds: number }[]
}

/** @param write receives whole lines */
export function createSteps(write: (line: string) => void): Steps {
  const taken: { name: string; seconds: number }[] = []
  return {
    taken,
    async run(name, work) {
      const started = performance.now()
      try {
        const result = await work()
        const seconds = (performance.now() - started) / 1000
        taken.push({ name, seconds })
        write(`  ${seconds.toFixed(1).padStart(6)} s  ${name}\n`)
        return result
      } catch (error) {
        write(`  failed    ${name}\n`)
        throw error
      }
    },
  }
}
