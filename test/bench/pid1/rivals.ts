// The programs that tarsnode is compared with, each named with its exact version.
import { debianTool, debianVersion, npmTool } from '../../rig/tools.ts'

export interface Rival {
  readonly path: string
  readonly name: string
}

const PM2 = '7.0.4'

/** Program and Debian package of each; all are installed before anything is measured. */
const packages = {
  tini: ['tini', 'tini'],
  dumbInit: ['dumb-init', 'dumb-init'],
  catatonit: ['catatonit', 'catatonit'],
  s6: ['s6-supervise', 's6'],
  runit: ['runsv', 'runit'],
  supervisord: ['supervisord', 'supervisor'],
} as const

export type Rivals = Readonly<Record<keyof typeof packages | 'pm2', Rival>>

async function debian([program, pkg]: readonly [string, string]): Promise<Rival> {
  return { path: await debianTool(program, pkg), name: await debianVersion(pkg) }
}

export async function findRivals(): Promise<Rivals> {
  const found = await Promise.all(Object.entries(packages).map(async ([name, pair]) => [name, await debian(pair)] as const))
  const pm2 = { path: await npmTool('pm2-runtime', 'pm2', PM2), name: `pm2 ${PM2}` }
  return { ...(Object.fromEntries(found) as Readonly<Record<keyof typeof packages, Rival>>), pm2 }
}
