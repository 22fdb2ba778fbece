import { accessSync, constants, mkdirSync } from 'node:fs'
import { Failure } from '#base/errors.ts'

/** Makes a folder that things are kept in. @throws Failure STORE_FOLDER when it cannot be made or written to */
export function makeStoreFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch (cause) {
    throw new Failure('STORE_FOLDER', `nothing can be kept in ${folder}`, { cause, remedy: 'set TARSSTORE_DATA to a folder that can be written to' })
  }
}
