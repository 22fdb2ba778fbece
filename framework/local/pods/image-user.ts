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
  const [userName = '', groupName = ''] = imageUser.split(':')
  const [passwd, group] = await Promise.all(['etc/passwd', 'etc/group'].map((path) => readRows(layers, path)))
  const asked = context?.runAsUser ?? podContext?.runAsUser
  const row = (passwd ?? []).find((fields) => (asked === undefined ? fields[0] === userName || fields[2] === userName : fields[2] === String(asked)))
  const uid = asked ?? idOf(userName, row?.[2], 'user')
  const groupRow = (group ?? []).find((fields) => fields[0] === groupName)
  const gid = context?.runAsGroup ?? podContext?.runAsGroup ?? (groupName === '' || asked !== undefined ? Number(row?.[3] ?? 0) : idOf(groupName, groupRow?.[2], 'group'))
  if ((context?.runAsNonRoot ?? podContext?.runAsNonRoot) === true && uid === 0) throw new Failure('CONTAINER_CONFIG', 'container has runAsNonRoot and the image will run as root', { remedy: 'set runAsUser, or USER in the image' })
  const name = row?.[0]
  const member = (group ?? []).filter((fields) => name !== undefined && fields[3]?.split(',').includes(name) === true).map((fields) => Number(fields[2]))
  const groups = [...member, ...(podContext?.supplementalGroups ?? []), ...(podContext?.fsGroup === undefined ? [] : [podContext.fsGroup])]
  return { uid, gid, groups: [...new Set([gid, ...groups])].filter(Number.isInteger) }
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
