import { accessSync, chmodSync, constants, readdirSync, statSync, type Stats } from 'node:fs'
import type { LaunchFiles } from './plan.ts'

const stat = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false })

function attempt(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

const isFile = (path: string): boolean => {
  try {
    return stat(path)?.isFile() === true
  } catch {
    return false
  }
}

/** The real file system as the launch planner sees it. */
export const realFiles: LaunchFiles = {
  isFile,
  isDirectory: (path) => {
    try {
      return stat(path)?.isDirectory() === true
    } catch {
      return false
    }
  },
  isExecutable: (path) => isFile(path) && attempt(() => accessSync(path, constants.X_OK)),
  list: (path) => {
    try {
      return readdirSync(path).sort()
    } catch {
      return []
    }
  },
  makeExecutable: (path) => attempt(() => chmodSync(path, 0o755)),
}
