import { lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { describe, Failure } from '#base/errors.ts'
import { makeFolders } from '#base/folders.ts'
import type { Logger } from '#base/log.ts'
import type { Settings } from '../env.ts'
import { replaceFile } from '../system/atomic-write.ts'
import { addHosts } from './hosts.ts'
import { findTimezone } from './timezone.ts'

/**
 * Makes the container ready for the service (spec A.3): folders, the link to the package, names in /etc/hosts, time
 * zone. Repeated at each container start, it finds its work done.
 * @returns the time zone to hand to the service, when there is one
 * @throws Failure CONTAINER_FOLDER when a folder that the service needs cannot be made
 */
export function prepareContainer(settings: Settings, log: Logger): { readonly timezone: string | undefined } {
  const { paths, layout, podIP, podName, listenAddress, container } = settings
  for (const folder of [paths.baseDir, paths.confDir, paths.dataDir]) makeFolder(folder)
  try {
    makeFolder(paths.logDir)
  } catch (error) {
    log.error('the log folder cannot be made; output goes to the container only', { error })
  }
  linkPackage(layout.packageBin, paths.binDir)
  const refused = addHosts(layout.hostsFile, podIP, [podName, listenAddress])
  if (refused !== undefined) log.info('the hosts file was left as it is', { reason: refused })
  return { timezone: timezoneOf(settings, container['TZ'], log) }
}

function makeFolder(path: string): void {
  try {
    makeFolders(path)
  } catch (error) {
    throw new Failure('CONTAINER_FOLDER', `the folder ${path} cannot be made`, { cause: error, remedy: 'mount a writable volume at /usr/local/app/tars/tarsnode' })
  }
}

function linkPackage(target: string, link: string): void {
  const current = lstatSync(link, { throwIfNoEntry: false })
  if (current?.isSymbolicLink() === true && readlinkSync(link) === target) return
  if (current?.isDirectory() === true) throw new Failure('CONTAINER_FOLDER', `${link} is a folder and not the link to ${target}`, { remedy: 'remove it from the volume' })
  rmSync(link, { force: true })
  try {
    symlinkSync(target, link)
  } catch (error) {
    throw new Failure('CONTAINER_FOLDER', `the link ${link} to ${target} cannot be made`, { cause: error, remedy: 'mount a writable volume at /usr/local/app/tars/tarsnode' })
  }
}

function timezoneOf({ layout }: Settings, given: string | undefined, log: Logger): string | undefined {
  if (given !== undefined && given !== '') return given
  const timezone = findTimezone(layout)
  if (timezone === undefined) return undefined
  try {
    replaceFile(layout.timezoneFile, `${timezone}\n`)
  } catch (error) {
    log.info('the time zone is not written to a file', { file: layout.timezoneFile, reason: describe(error) })
  }
  return timezone
}
