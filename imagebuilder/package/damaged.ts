import { Failure } from '#base/errors.ts'

/** The archive ends early, has a bad checksum, or contradicts itself. Failures and aborts pass unchanged. */
export function damaged(error: unknown, path: string): unknown {
  if (error instanceof Failure || (error as { name?: unknown } | null)?.name === 'AbortError') return error
  return new Failure('PACKAGE_DAMAGED', `package ${path} is damaged or cut short`, { cause: error, remedy: 'pack or upload it again', context: { path } })
}

/** Content whose reading errors are told as damage of the package; errors of the one who reads are not touched. */
export function orDamaged(content: AsyncIterable<Buffer>, path: string): AsyncIterable<Buffer> {
  return {
    [Symbol.asyncIterator]() {
      const pieces = content[Symbol.asyncIterator]()
      return {
        async next() {
          try {
            return await pieces.next()
          } catch (error) {
            throw damaged(error, path)
          }
        },
        async return() {
          await pieces.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}
