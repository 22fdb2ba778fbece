import { readText } from './atomic-write.ts'

/** Where the container's control group is seen. */
const CGROUP = '/sys/fs/cgroup'
/** Version 1 says so for "no limit": the largest number of whole pages. */
const NO_LIMIT = 2 ** 60

/**
 * Who tells, each time it is asked, whether the kernel has killed processes of the container for want of memory since it was
 * asked last. The kernel kills with SIGKILL as anybody may; only the control group, version 2 or 1, says that it was the kernel.
 */
export function memoryShortages(folder = CGROUP): () => string | undefined {
  const read = (...paths: readonly string[]): string => paths.map((path) => readText(`${folder}/${path}`)).find((text) => text !== undefined) ?? ''
  const count = (): number => Number(/^oom_kill (\d+)$/m.exec(read('memory.events', 'memory/memory.oom_control'))?.[1] ?? 0)
  let known = count()
  return () => {
    const before = known
    known = count()
    if (known <= before) return undefined
    const limit = Number.parseInt(read('memory.max', 'memory/memory.limit_in_bytes'), 10)
    return limit < NO_LIMIT
      ? `out of memory: the container may have ${Math.round(limit / 2 ** 20)} MiB; raise spec.k8s.resources.limits.memory, or have the service take less`
      : 'out of memory: the node has no more; give the server spec.k8s.resources.requests.memory, and others limits'
  }
}
