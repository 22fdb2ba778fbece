import { closeSync, mkdirSync, openSync, readlinkSync, rmdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import type { Libc } from './libc.ts'
import { mountFlags } from './libc.ts'
import type { LaunchPlan, PlannedMount, PlannedRoot } from './plan.ts'

/**
 * Makes the plan's root file system this process's /, with its mounts, and lets go of the host's.
 * Mounts are made after the change of root: every path, and every link on the way, then resolves inside the container,
 * so an image cannot lead a mount onto the host. The old root hides under a name that no image can know beforehand.
 */
export function enterRoot(libc: Libc, plan: LaunchPlan): void {
  const root = mountRoot(libc, plan.root, plan.userNamespace)
  const oldName = `.old-${randomBytes(12).toString('hex')}`
  mkdirSync(`${root}/${oldName}`)
  libc.pivotRoot(root, `${root}/${oldName}`)
  process.chdir('/')
  for (const mount of plan.mounts) makeMount(libc, mount, `/${oldName}`)
  for (const { path, target } of plan.links) link(path, target)
  libc.unmountLazily(`/${oldName}`)
  rmdirSync(`/${oldName}`)
  if (plan.readOnlyRoot) libc.mount('', '/', '', mountFlags.remount | mountFlags.bind | mountFlags.readOnly)
}

function mountRoot(libc: Libc, root: PlannedRoot, userNamespace: boolean): string {
  if (root.kind === 'directory') {
    libc.mount(root.path, root.path, '', mountFlags.bind | mountFlags.recursive)
    return root.path
  }
  const options = [`lowerdir=${root.lower.map(escapeOption).join(':')}`, `upperdir=${escapeOption(root.upper)}`, `workdir=${escapeOption(root.work)}`]
  libc.mount('overlay', root.mountPoint, 'overlay', 0, [...options, ...(userNamespace ? ['userxattr'] : [])].join(','))
  return root.mountPoint
}

/** Overlay option syntax: a comma, colon or backslash in a path is written with a backslash before it. */
function escapeOption(path: string): string {
  return path.replaceAll(/[\\,:]/g, String.raw`\$&`)
}

function makeMount(libc: Libc, mount: PlannedMount, oldRoot: string): void {
  const { target } = mount
  switch (mount.kind) {
    case 'bind':
      return bind(libc, mount, oldRoot)
    case 'proc':
      mkdirSync(target, { recursive: true })
      return libc.mount('proc', target, 'proc', mountFlags.noSuid | mountFlags.noDev | mountFlags.noExec)
    case 'sysfs':
      mkdirSync(target, { recursive: true })
      return bindSystem(libc, `${oldRoot}/sys`, target)
    case 'tmpfs':
      mkdirSync(target, { recursive: true })
      return libc.mount('tmpfs', target, 'tmpfs', mountFlags.noSuid, mount.options)
    case 'devpts':
      mkdirSync(target, { recursive: true })
      return libc.mount('devpts', target, 'devpts', mountFlags.noSuid | mountFlags.noExec, 'newinstance,ptmxmode=0666,mode=0620')
    case 'mqueue':
      mkdirSync(target, { recursive: true })
      return libc.mount('mqueue', target, 'mqueue', mountFlags.noSuid | mountFlags.noDev | mountFlags.noExec)
  }
}

function bind(libc: Libc, mount: Extract<PlannedMount, { kind: 'bind' }>, oldRoot: string): void {
  const source = `${oldRoot}${mount.source}`
  if (statSync(source).isDirectory()) mkdirSync(mount.target, { recursive: true })
  else touch(mount.target)
  libc.mount(source, mount.target, '', mountFlags.bind | (mount.recursive ? mountFlags.recursive : 0))
  if (mount.readOnly) remountReadOnly(libc, mount.target)
}

/** The host's /sys, read-only. A user namespace may only bind it together with the mounts below it. */
function bindSystem(libc: Libc, source: string, target: string): void {
  const locked = mountFlags.noSuid | mountFlags.noDev | mountFlags.noExec
  try {
    libc.mount(source, target, '', mountFlags.bind)
  } catch {
    libc.mount(source, target, '', mountFlags.bind | mountFlags.recursive)
  }
  libc.mount('', target, '', mountFlags.remount | mountFlags.bind | mountFlags.readOnly | locked)
}

/** In a user namespace the flags that the host locked must be repeated, so on refusal try again with them. */
function remountReadOnly(libc: Libc, target: string): void {
  const flags = mountFlags.remount | mountFlags.bind | mountFlags.readOnly
  try {
    libc.mount('', target, '', flags)
  } catch {
    libc.mount('', target, '', flags | mountFlags.noSuid | mountFlags.noDev)
  }
}

function touch(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  if (isLink(path)) rmSync(path) // /etc/resolv.conf is often a link to a place that this container does not have
  closeSync(openSync(path, 'a'))
}

function isLink(path: string): boolean {
  try {
    readlinkSync(path)
    return true
  } catch {
    return false
  }
}

function link(path: string, target: string): void {
  rmSync(path, { force: true })
  symlinkSync(target, path)
}
