import { describe } from '#base/errors.ts'
import { Failure } from '#base/errors.ts'
import type { Environment, Role, Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { Exit, Instance } from './instance.ts'
import type { Container } from './kinds.ts'

/** The roles that a container's `command: ["tarsk8s", "<role>[,<role>…]"]` names, or undefined for other commands. */
export function rolesOf(container: Container): readonly string[] | undefined {
  const [program, roles, ...rest] = [...(container.command ?? []), ...(container.args ?? [])]
  return program === 'tarsk8s' && roles !== undefined && rest.length === 0 ? roles.split(',') : undefined
}

/**
 * Runs roles inside this process as if they were a container: SIGTERM stops them, a role whose `done` rejects ends the
 * container with exit code 1 and its reason. SIGKILL lets go of them, as a process cannot end a part of itself.
 * @throws CONTAINER_CONFIG for a role that does not exist
 */
export function startRoles(names: readonly string[], known: Readonly<Record<string, Role>>, context: { readonly env: Environment; readonly log: Logger }): Instance {
  const roles = names.map((name) => {
    const role = Object.hasOwn(known, name) ? known[name] : undefined
    if (role === undefined) throw new Failure('CONTAINER_CONFIG', `there is no role "${name}"`, { remedy: `use one of ${Object.keys(known).join(', ')}` })
    return { name, role }
  })
  const abort = new AbortController()
  const exited = Promise.withResolvers<Exit>()
  const running: Running[] = []
  const stopAll = async (): Promise<void> => {
    abort.abort()
    for (const part of running.toReversed()) await part.stop()
  }
  const broke = (name: string, error: unknown): void => {
    context.log.error('role ended', { role: name, error })
    const message = `${name}: ${describe(error)}`
    stopAll().catch(() => {}).finally(() => exited.resolve({ exitCode: 1, message }))
  }
  const start = async (): Promise<void> => {
    for (const { name, role } of roles) {
      try {
        const part = await role({ env: context.env, log: context.log.child({ role: name }), signal: abort.signal })
        running.push(part)
        part.done.catch((error: unknown) => broke(name, error))
        if (abort.signal.aborted) await part.stop()
      } catch (error) {
        broke(name, error)
        throw error
      }
    }
  }
  const started = start()
  started.catch(() => {})
  const signal = (name: NodeJS.Signals): boolean => {
    if (name === 'SIGKILL') {
      abort.abort()
      exited.resolve({ exitCode: 137, signal: 9, message: 'it did not stop in time; it runs inside the runner, which let go of it' })
      return true
    }
    started.catch(() => {}).then(stopAll).then(() => exited.resolve({ exitCode: 0 }), (error: unknown) => exited.resolve({ exitCode: 1, message: describe(error) }))
    abort.abort()
    return true
  }
  return { pid: process.pid, started, exited: exited.promise, signal }
}
