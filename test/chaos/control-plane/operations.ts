// What an operator does in a namespace: every act changes the cluster and what is known of it, and both must come to agree.
import type { Sparse } from '#api/default.ts'
import { accountName } from '#api/mutate/taccount.ts'
import type { TServerSpec } from '#api/types.ts'
import { KubeError } from '#kube/errors.ts'
import { daemonSets, podDisruptionBudgets, pods, services, statefulSets } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import type { Drawn } from '../disturbance.ts'
import { HISTORY, hub, nameOf, tars, type KnownServer, type Space } from './space.ts'

export interface Operation extends Drawn {
  /** @param choice which of several; each takes it as it likes @returns what was done, for the log */
  run(space: Space, choice: number): Promise<string>
}

const MOST_SERVERS = 6
const nothing = 'nothing to do it to'
const app = 'Demo'

const pick = <T>(from: readonly T[], choice: number): T | undefined => from[choice % Math.max(1, from.length)]
const server = ({ known }: Space, choice: number): readonly [string, KnownServer] | undefined => pick([...known.servers], choice)

type Kind = (id: number) => Sparse<TServerSpec>
const release = (id: string) => ({ id, image: `registry.test/demo:${id}`, time: '2024-01-01T00:00:00Z' })
/** One of each sort that has children of its own sort. */
const kinds: readonly Kind[] = [
  (id) => ({ subType: 'tars', tars: { template: 'tars.default', servants: [{ name: 'HelloObj', port: 10_000 + id }] }, k8s: { replicas: 2 }, release: release(`r${id}`) }),
  (id) => ({ subType: 'normal', normal: { ports: [{ name: 'http', port: 80 }] }, k8s: { replicas: 1 + (id % 3) }, release: release(`r${id}`) }),
  (id) => ({ subType: 'tars', tars: { template: 'tars.cpp', servants: [{ name: 'EchoObj', port: 9000 }], ports: [{ name: 'extra', port: 9001 }] }, k8s: { replicas: 1, hostPorts: [{ nameRef: 'EchoObj', port: 20_000 + id }] }, release: release(`r${id}`) }),
  () => ({ subType: 'normal', normal: { ports: [] }, k8s: { replicas: 3 } }),
  (id) => ({ subType: 'normal', normal: { ports: [{ name: 'probe', port: 81 }] }, k8s: { daemonSet: true }, release: release(`r${id}`) }),
  (id) => ({ subType: 'tars', tars: { template: 'tars.default', servants: [{ name: 'DataObj', port: 9100 }] }, k8s: { replicas: 2, mounts: [claim('data')] }, release: release(`r${id}`) }),
]

function claim(name: string) {
  return { name, mountPath: `/${name}`, source: { persistentVolumeClaimTemplate: { metadata: {}, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1G' } } } } } } as const
}

async function change(space: Space, name: string, known: KnownServer, { k8s = {}, ...rest }: Sparse<TServerSpec>): Promise<void> {
  await space.patch(tars('tservers'), name, { spec: { ...rest, k8s } })
  known.spec = { ...known.spec, ...rest, k8s: { ...known.spec.k8s, ...k8s } }
}

const createServer: Operation = {
  weight: 5,
  async run(space, choice) {
    if (space.known.servers.size >= MOST_SERVERS) return 'there are enough'
    const id = space.next()
    const spec = { app, server: `S${id}`, ...kinds[choice % kinds.length]?.(id) }
    const name = nameOf(spec)
    space.known.servers.set(name, { spec, sets: 1 })
    try {
      await space.create(tars('tservers'), space.draft(name))
    } catch (error) {
      space.known.servers.delete(name)
      throw error
    }
    return `TServer ${name} as kind ${choice % kinds.length}`
  },
}

const changeServer: Operation = {
  weight: 6,
  async run(space, choice) {
    const [name, known] = server(space, choice) ?? []
    if (name === undefined || known === undefined) return nothing
    const value = String(space.next())
    await change(space, name, known, { k8s: { env: [{ name: 'REVISION', value }] } })
    return `TServer ${name}: REVISION=${value}`
  },
}

const releaseServer: Operation = {
  weight: 4,
  async run(space, choice) {
    const [name, known] = server(space, choice) ?? []
    if (name === undefined || known === undefined) return nothing
    const id = `r${space.next()}`
    // What the operator asks of a server without a release was put to none.
    const replicas = known.spec.release === undefined ? 2 : known.spec.k8s?.replicas ?? 1
    await change(space, name, known, { release: release(id), k8s: { replicas } })
    return `TServer ${name}: release ${id}`
  },
}

const scaleServer: Operation = {
  weight: 5,
  async run(space, choice) {
    const [name, known] = server(space, choice) ?? []
    if (name === undefined || known === undefined || known.spec.release === undefined) return nothing
    const replicas = choice % 4
    if (choice % 2 === 0) await change(space, name, known, { k8s: { replicas } })
    else {
      await space.patch(tars('tservers'), name, { spec: { replicas } }, 'scale')
      known.spec = { ...known.spec, k8s: { ...known.spec.k8s, replicas } }
    }
    return `TServer ${name}: ${replicas} replicas${choice % 2 === 0 ? '' : ' by the scale subresource'}`
  },
}

const deleteServer: Operation = {
  weight: 2,
  async run(space, choice) {
    const [name] = server(space, choice) ?? []
    if (name === undefined) return nothing
    const propagation = choice % 3 === 0 ? 'Foreground' : 'Background'
    await space.remove(tars('tservers'), name, propagation)
    space.known.servers.delete(name)
    return `TServer ${name}, ${propagation}`
  },
}

const recreateServer: Operation = {
  weight: 2,
  async run(space, choice) {
    const [name, known] = server(space, choice) ?? []
    if (name === undefined || known === undefined) return nothing
    await space.remove(tars('tservers'), name, choice % 3 === 0 ? 'Foreground' : 'Background')
    known.sets = 1
    await space.create(tars('tservers'), space.draft(name))
    return `TServer ${name}, deleted and made again`
  },
}

const switchWorkload: Operation = {
  weight: 1,
  async run(space, choice) {
    const found = pick([...space.known.servers].filter(([, { spec }]) => spec.subType === 'normal' && (spec.k8s?.mounts ?? []).length === 0), choice)
    if (found === undefined) return nothing
    const [name, known] = found
    const daemonSet = known.spec.k8s?.daemonSet !== true
    await change(space, name, known, { k8s: { daemonSet } })
    if (!daemonSet) known.sets++
    return `TServer ${name} becomes a ${daemonSet ? 'DaemonSet' : 'StatefulSet'}`
  },
}

const changeClaims: Operation = {
  weight: 1,
  async run(space, choice) {
    const found = pick([...space.known.servers].filter(([, { spec }]) => spec.k8s?.daemonSet !== true), choice)
    if (found === undefined) return nothing
    const [name, known] = found
    // Another name each time, so that no pod template comes again.
    const mounts = (known.spec.k8s?.mounts ?? []).length === 0 ? [claim(`data-${space.next()}`)] : []
    await change(space, name, known, { k8s: { mounts } })
    known.sets++
    return `TServer ${name} ${mounts.length === 0 ? 'without' : 'with'} a volume for each pod`
  },
}

const children: readonly Resource[] = [services, statefulSets, daemonSets, podDisruptionBudgets, tars('tendpoints')]

const deleteChild: Operation = {
  weight: 3,
  async run(space, choice) {
    const [name, known] = server(space, choice) ?? []
    if (name === undefined || known === undefined) return nothing
    const resource = children[Math.floor(choice / 7) % children.length] ?? services
    // Whether it comes through or not, one more is then made at most.
    if (resource === statefulSets) known.sets++
    return `${resource.kind} ${name}: ${await meddle(() => space.client.delete(resource, { namespace: space.namespace, name }, { propagation: 'Background' }))}`
  },
}

const spoilChild: Operation = {
  weight: 3,
  async run(space, choice) {
    const [name] = server(space, choice) ?? []
    if (name === undefined) return nothing
    const spoils = [
      [services, { spec: { selector: { spoiled: 'yes' } } }],
      [services, { metadata: { annotations: { 'tars.io/Applied': null } } }],
      [statefulSets, { spec: { replicas: 7 } }],
      [statefulSets, { metadata: { labels: { 'tars.io/ServerName': null } } }],
      [podDisruptionBudgets, { spec: { maxUnavailable: 5 } }],
      [tars('tendpoints'), { spec: { important: 20 } }],
      [tars('tendpoints'), { metadata: { ownerReferences: null } }],
      [daemonSets, { spec: { minReadySeconds: 9 } }],
    ] as const
    const [resource, body] = spoils[Math.floor(choice / 7) % spoils.length] ?? [services, {}]
    return `${resource.kind} ${name} ${JSON.stringify(body)}: ${await meddle(() => space.client.patch(resource as Resource, { namespace: space.namespace, name }, body, { fieldManager: 'meddler' }))}`
  },
}

const deletePod: Operation = {
  weight: 2,
  async run(space, choice) {
    const [name, known] = server(space, choice) ?? []
    if (name === undefined || known === undefined) return nothing
    return `Pod ${name}-0: ${await meddle(() => space.client.delete(pods, { namespace: space.namespace, name: `${name}-0` }))}`
  },
}

/** Done once, whatever comes of it: the controller is to put everything right in any case. */
async function meddle(act: () => Promise<unknown>): Promise<string> {
  try {
    await act()
    return 'done'
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    return `${error.status} ${error.reason}`
  }
}

const newConfig: Operation = {
  weight: 4,
  async run(space, choice) {
    const file = `f${choice % 2}.conf`
    const config = { name: `demo-conf-${space.next()}`, content: `value=${space.next()}` }
    await space.create(tars('tconfigs'), hub('TConfig', space.namespace, config.name, { app, server: 'Conf', configName: file, configContent: config.content, podSeq: 'm', activated: true }))
    const known = space.known.files.get(file) ?? { versions: [], old: [] }
    known.versions.push(config)
    while (known.versions.length > HISTORY + 1) known.old.push(...known.versions.splice(0, 1))
    space.known.files.set(file, known)
    return `TConfig ${config.name} of ${file}`
  },
}

const activateConfig: Operation = {
  weight: 2,
  async run(space, choice) {
    const [file, known] = pick([...space.known.files], choice) ?? []
    const config = pick(known?.versions.slice(0, -1) ?? [], choice)
    if (file === undefined || known === undefined || config === undefined) return nothing
    await space.patch(tars('tconfigs'), config.name, { activated: true })
    known.versions.splice(known.versions.indexOf(config), 1)
    known.versions.push(config)
    return `TConfig ${config.name} of ${file} comes back into force`
  },
}

const changeTemplate: Operation = {
  weight: 3,
  async run(space, choice) {
    const { templates } = space.known
    const content = `<tars>\n  <application>\n    revision=${space.next()}\n  </application>\n</tars>\n`
    const name = pick([...templates.keys()], choice)
    if (name === undefined || (templates.size < 4 && choice % 3 === 0)) {
      const made = `demo.t${space.next()}`
      await space.create(tars('ttemplates'), hub('TTemplate', space.namespace, made, { spec: { parent: 'tars.default', content } }))
      templates.set(made, content)
      return `TTemplate ${made}`
    }
    if (choice % 3 === 1) {
      await space.remove(tars('ttemplates'), name)
      templates.delete(name)
      return `TTemplate ${name} is deleted`
    }
    await space.patch(tars('ttemplates'), name, { spec: { content } })
    templates.set(name, content)
    return `TTemplate ${name} is changed`
  },
}

const changeAccount: Operation = {
  weight: 1,
  async run(space, choice) {
    const username = `user${choice % 3}`
    const { accounts } = space.known
    const password = `secret${space.next()}`
    const name = accountName(username)
    if (!accounts.has(username)) {
      await space.create(tars('taccounts'), hub('TAccount', space.namespace, name, { spec: { username, authentication: { password, activated: true }, authorization: [] } }))
      accounts.add(username)
      return `TAccount of ${username}`
    }
    await space.remove(tars('taccounts'), name)
    accounts.delete(username)
    return `TAccount of ${username} is deleted`
  },
}

const changeImage: Operation = {
  weight: 1,
  async run(space, choice) {
    const name = `image-${choice % 2}`
    const known = space.known.images.get(name)
    const ids = [`i${space.next()}`, ...(known ?? [])]
    const releases = ids.map((id) => ({ id, image: `registry.test/demo:${id}` }))
    if (known === undefined) await space.create(tars('timages'), hub('TImage', space.namespace, name, { imageType: 'server', releases }))
    else await space.patch(tars('timages'), name, { releases })
    space.known.images.set(name, ids)
    return `TImage ${name} with ${ids.length} releases`
  },
}

const changeFramework: Operation = {
  weight: 1,
  async run(space) {
    const image = `registry.test/tarsnode:${space.next()}`
    await space.patch(tars('tframeworkconfigs'), 'tars-framework', { nodeImage: { image } })
    space.known.nodeImage = image
    return `node image ${image}`
  },
}

const recreateNamespace: Operation = {
  weight: 1,
  async run(space) {
    await space.empty()
    await space.found()
    return 'is deleted and made again'
  },
}

/** Every kind by its name in the log. A new one changes what older seeds mean. */
export const operations: Readonly<Record<string, Operation>> = {
  'create-server': createServer,
  'change-server': changeServer,
  'release-server': releaseServer,
  'scale-server': scaleServer,
  'delete-server': deleteServer,
  'recreate-server': recreateServer,
  'switch-workload': switchWorkload,
  'change-claims': changeClaims,
  'delete-child': deleteChild,
  'spoil-child': spoilChild,
  'delete-pod': deletePod,
  'new-config': newConfig,
  'activate-config': activateConfig,
  'change-template': changeTemplate,
  'change-account': changeAccount,
  'change-image': changeImage,
  'change-framework': changeFramework,
  'recreate-namespace': recreateNamespace,
}

