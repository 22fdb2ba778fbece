import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import { expand } from './environment.ts'
import type { Container, Pod } from './kinds.ts'
import type { ImageConfig } from './image/pull.ts'
import { keptCapabilities } from './namespace/capabilities.ts'
import type { LaunchPlan, PlannedMount, PlannedRoot, PlannedUser } from './namespace/plan.ts'

export interface PlanInput {
  readonly pod: Pod
  readonly container: Container
  readonly image: ImageConfig
  readonly env: Readonly<Record<string, string>>
  readonly user: PlannedUser
  readonly root: PlannedRoot
  readonly userNamespace: boolean
  readonly volumes: readonly PlannedMount[]
  /** Host path of the file in which the container may say why it ends. */
  readonly lastWords: string
  /** Host paths of the files that every container of the pod has under /etc. */
  readonly etc: { readonly hosts: string; readonly hostname: string; readonly resolvConf: string }
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty']

/** Puts a container together from its image and its spec, by Kubernetes' rules for command and args. */
export function planContainer(input: PlanInput): LaunchPlan {
  const { pod, container, image, user, root, userNamespace } = input
  const env = { PATH: defaultPath, HOSTNAME: hostName(pod), ...input.env }
  return {
    root,
    readOnlyRoot: container.securityContext?.readOnlyRootFilesystem ?? false,
    userNamespace,
    mounts: [...systemMounts(userNamespace), ...etcMounts(input), ...input.volumes, { kind: 'bind', source: input.lastWords, target: orDefault(container.terminationMessagePath, '/dev/termination-log'), readOnly: false, recursive: false }],
    links: deviceLinks,
    hostname: hostName(pod).slice(0, 63),
    argv: commandLine(container, image, env),
    env: Object.entries({ HOME: user.uid === 0 ? '/root' : '/', ...env }).map(([name, value]) => `${name}=${value}`),
    cwd: orDefault(container.workingDir, orDefault(image.WorkingDir, '/')),
    user,
    capabilities: keptCapabilities(container.securityContext),
    noNewPrivileges: container.securityContext?.allowPrivilegeEscalation === false,
  }
}

/**
 * `command` replaces the image's ENTRYPOINT and its CMD, `args` replaces CMD (Kubernetes, "Define a Command and
 * Arguments for a Container").
 * @throws CONTAINER_CONFIG when nothing is left to run
 */
export function commandLine(container: Container, image: ImageConfig, env: Readonly<Record<string, string>>): string[] {
  const command = nonEmpty(container.command)?.map((part) => expand(part, env))
  const args = nonEmpty(container.args)?.map((part) => expand(part, env))
  const line = [...(command ?? image.Entrypoint ?? []), ...(args ?? (command === undefined ? (image.Cmd ?? []) : []))]
  if (line.length === 0) throw new Failure('CONTAINER_CONFIG', `container ${container.name} has no command, and its image has none either`, { remedy: 'set command, or ENTRYPOINT in the image' })
  return line
}

function hostName(pod: Pod): string {
  return orDefault(pod.spec.hostname, pod.metadata.name)
}

function systemMounts(userNamespace: boolean): PlannedMount[] {
  return [
    { kind: 'proc', target: '/proc' },
    { kind: 'sysfs', target: '/sys' },
    { kind: 'tmpfs', target: '/dev', options: 'mode=755,size=64k' },
    ...devices.map((name): PlannedMount => ({ kind: 'bind', source: `/dev/${name}`, target: `/dev/${name}`, readOnly: false, recursive: false })),
    { kind: 'devpts', target: '/dev/pts' },
    { kind: 'tmpfs', target: '/dev/shm', options: 'mode=1777,size=64m' },
    ...(userNamespace ? [] : [{ kind: 'mqueue', target: '/dev/mqueue' } as const]),
  ]
}

const deviceLinks = [
  { path: '/dev/fd', target: '/proc/self/fd' },
  { path: '/dev/stdin', target: '/proc/self/fd/0' },
  { path: '/dev/stdout', target: '/proc/self/fd/1' },
  { path: '/dev/stderr', target: '/proc/self/fd/2' },
  { path: '/dev/ptmx', target: 'pts/ptmx' },
] as const

/** A mount that the pod itself puts at one of these places wins. */
function etcMounts({ etc, container }: PlanInput): PlannedMount[] {
  const taken = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath))
  const files = { hosts: etc.hosts, hostname: etc.hostname, 'resolv.conf': etc.resolvConf }
  return Object.entries(files)
    .map(([name, source]): PlannedMount => ({ kind: 'bind', source, target: join('/etc', name), readOnly: true, recursive: false }))
    .filter(({ target }) => !taken.has(target))
}

function orDefault(text: string | undefined, fallback: string): string {
  return text === undefined || text === '' ? fallback : text
}

function nonEmpty(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}
