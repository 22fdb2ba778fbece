import { readFile } from 'node:fs/promises'
import { Failure } from '#base/errors.ts'
import { LayersBelow } from './image/below.ts'
import type { PodSecurityContext, SecurityContext } from './kinds.ts'
import type { PlannedUser } from './namespace/plan.ts'

/**
 * Who a container runs as: the container's securityContext, else the pod's, else the image's `User`
 * (`name|uid[:group|gid]`), looked up in the image's passwd and group files.
 * @throws CONTAINER_CONFIG for an unknown name, or root where runAsNonRoot is set
 */
export async function containerUser(imageUser: string, layers: readonly string[], context: SecurityContext | undefined, podContext: PodSecurityContext | undefined): Promise<PlannedUser> {
  const wanted = { ...defined(podContext), ...defined(context) }
  const [userName = '', groupName = ''] = imageUser.split(':')
  const [passwd = [], group = []] = await Promise.all(['etc/passwd', 'etc/group'].map((path) => readRows(layers, path)))
  const row = userRow(passwd, userName, wanted.runAsUser)
  const uid = wanted.runAsUser ?? idOf(userName, row?.[2], 'user')
  if (wanted.runAsNonRoot === true && uid === 0) throw new Failure('CONTAINER_CONFIG', 'container has runAsNonRoot and the image will run as root', { remedy: 'set runAsUser, or USER in the image' })
  const imageGroup = groupName === '' || wanted.runAsUser !== undefined ? Number(row?.[3] ?? 0) : idOf(groupName, group.find(([name]) => name === groupName)?.[2], 'group')
  const gid = wanted.runAsGroup ?? imageGroup
  return { uid, gid, groups: [...new Set([gid, ...memberships(group, row?.[0]), ...extraGroups(podContext)])].filter(Number.isInteger) }
}

function userRow(passwd: readonly string[][], imageUser: string, asked: number | undefined): string[] | undefined {
  return asked === undefined ? passwd.find(([name, , uid]) => name === imageUser || uid === imageUser) : passwd.find(([, , uid]) => uid === String(asked))
}

function defined(context: SecurityContext | PodSecurityContext | undefined): Pick<SecurityContext, 'runAsUser' | 'runAsGroup' | 'runAsNonRoot'> {
  return Object.fromEntries(Object.entries(context ?? {}).filter(([, value]) => value !== undefined))
}

/** The groups that list the user as a member. */
function memberships(group: readonly string[][], user: string | undefined): number[] {
  return group.filter((fields) => user !== undefined && fields[3]?.split(',').includes(user) === true).map((fields) => Number(fields[2]))
}

function extraGroups(context: PodSecurityContext | undefined): number[] {
  return [...(context?.supplementalGroups ?? []), ...(context?.fsGroup === undefined ? [] : [context.fsGroup])]
}

function idOf(text: string, found: string | undefined, what: string): number {
  if (text === '') return 0
  const id = Number(found ?? text)
  if (!Number.isInteger(id) || id < 0) throw new Failure('CONTAINER_CONFIG', `the image's ${what} "${text}" is not in its /etc/${what === 'user' ? 'passwd' : 'group'}`, { remedy: 'use a number in USER, or set securityContext.runAsUser' })
  return id
}

async function readRows(layers: readonly string[], path: string): Promise<string[][]> {
  const found = new LayersBelow(layers).stat(path)
  if (found === undefined || !found.stats.isFile() || found.stats.size > 2 ** 20) return []
  return (await readFile(found.file, 'utf8')).split('\n').map((line) => line.split(':'))
}
