// A node of a real Kubernetes: containerd, kubelet, kube-proxy and CoreDNS on the control plane's machine.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { nodes } from '#kube/resources.ts'
import { composeImage } from '../../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../../imagebuilder/layer.ts'
import { parseLocation } from '../../../imagebuilder/oci/location.ts'
import { debianFile, debianTool, goTool } from '../tools.ts'
import { kubernetesProgram } from './binaries.ts'
import { clusterDomain, featureGates, nodeName, type ControlPlane } from './control-plane.ts'
import { ownerOf, searchPath } from './machine.ts'

const coreDnsVersion = 'v1.15.0'
/** Debian's is older than image volumes of which a folder is mounted. */
const containerdVersion = 'v2.2.9'
const cniFolder = '/usr/lib/cni'
const socket = '/run/containerd/containerd.sock'
const cgroupFolder = '/sys/fs/cgroup'

/** A kubelet that runs pods; it ends with the machine. */
export interface WorkerNode {
  /** Takes its control groups away; for when the machine has stopped. */
  clean(): Promise<void>
}

/**
 * Starts the node and waits until it is ready for pods.
 * @param registry `host:port` that speaks plain HTTP at the machine's end of the cable; images come from there
 */
export async function startNode({ machine, client, kubeconfig }: ControlPlane, registry: string): Promise<WorkerNode> {
  const { containerd, shim, kubelet, proxy, dns } = await nodePrograms()
  await makeCgroups(machine.name)
  const files: Readonly<Record<string, string>> = {
    '/run/containerd/config.toml': containerdConfig(await pushPause(registry)),
    [`/run/containerd/registries/${registry}/hosts.toml`]: `server = "http://${registry}"\n[host."http://${registry}"]\n  capabilities = ["pull", "resolve"]\n`,
    '/run/cni/pods.conflist': JSON.stringify(podNetwork(machine.podRange)),
    '/run/kubelet/config.yaml': JSON.stringify(kubeletConfig(machine.name, machine.address)),
    '/run/kubelet/kubeconfig': kubeconfig('kubelet'),
    '/run/kubelet/resolv.conf': '',
    '/run/proxy/kubeconfig': kubeconfig('proxy'),
    '/run/dns/kubeconfig': kubeconfig('dns'),
    '/run/dns/Corefile': `.:53 {\n  bind ${machine.address}\n  kubernetes ${clusterDomain} {\n    kubeconfig /run/dns/kubeconfig\n    ttl 1\n  }\n}\n`,
  }
  await Promise.all(Object.entries(files).map(([path, content]) => machine.write(path, content)))
  // The machine answers for its pods at its end of the cable.
  await machine.run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/conf/eth0/proxy_arp; for file in /proc/sys/net/bridge/bridge-nf-call-iptables; do [ ! -e $file ] || echo 1 > $file; done'])
  machine.start('containerd', containerd, ['--config=/run/containerd/config.toml', '--log-level=warn'], { PATH: `${dirname(shim)}:${searchPath()}` })
  await machine.until('containerd listens', async () => existsSync(machine.outside(socket)))
  machine.start('kubelet', kubelet, ['--kubeconfig=/run/kubelet/kubeconfig', '--config=/run/kubelet/config.yaml', '--root-dir=/run/kubelet', '--cert-dir=/run/kubelet/pki', `--hostname-override=${nodeName}`, `--node-ip=${machine.address}`])
  machine.start('kube-proxy', proxy, ['--kubeconfig=/run/proxy/kubeconfig', `--hostname-override=${nodeName}`, '--proxy-mode=iptables', `--cluster-cidr=${machine.podRange}`, '--conntrack-max-per-core=0', '--conntrack-tcp-timeout-established=0', '--conntrack-tcp-timeout-close-wait=0'])
  machine.start('coredns', dns, ['-conf=/run/dns/Corefile'])
  await machine.until('the node is ready', async () => {
    const { status, spec } = await client.get(nodes, { name: nodeName }) as { status?: { conditions?: { type: string; status: string }[] }; spec?: { taints?: object[] } }
    return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true && (spec?.taints ?? []).length === 0
  })
  return { clean: () => removeCgroups(machine.name) }
}

/** What a node is made of: each built or installed once. */
export async function nodePrograms(): Promise<Record<'containerd' | 'shim' | 'kubelet' | 'proxy' | 'dns', string>> {
  for (const [program, pkg] of [['runc', 'runc'], ['iptables', 'iptables'], ['conntrack', 'conntrack'], ['gcc', 'build-essential']] as const) await debianTool(program, pkg)
  await debianFile(join(cniFolder, 'bridge'), 'containernetworking-plugins')
  return {
    containerd: await goTool('github.com/containerd/containerd/v2/cmd/containerd', containerdVersion),
    shim: await goTool('github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2', containerdVersion),
    kubelet: await kubernetesProgram('kubelet'),
    proxy: await kubernetesProgram('kube-proxy'),
    dns: await goTool('github.com/coredns/coredns', coreDnsVersion),
  }
}

/** The image whose only process keeps a pod's namespaces. */
function pushPause(registry: string): Promise<string> {
  return pushProgram(`${registry}/pause:1`, '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n')
}

/** An image of nothing but one program, in C. @returns its reference */
export async function pushProgram(reference: string, source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-program-'))
  try {
    await writeFile(join(folder, 'program.c'), source)
    await promisify(execFile)('gcc', ['-static', '-Os', '-s', '-o', join(folder, 'program'), join(folder, 'program.c')])
    const layer = await layerFromFiles([{ path: '/program', source: join(folder, 'program'), mode: 0o755 }], join(folder, 'layer.tar.gz'))
    const { image } = await composeImage({ layers: [layer], config: { Entrypoint: ['/program'] }, destination: parseLocation(reference), access: { trust: () => ({ plainHttp: true }) } })
    return image
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function containerdConfig(pause: string): string {
  return `version = 3
root = "/run/containerd/root"
state = "/run/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.zfs", "io.containerd.nri.v1.nri"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pause}"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "/run/containerd/registries"
[plugins."io.containerd.cri.v1.runtime"]
  # Without CAP_SYS_RESOURCE, as in a container, nobody may ask to be spared by the OOM killer.
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["${cniFolder}"]
  conf_dir = "/run/cni"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = false
`
}

function podNetwork(subnet: string): object {
  return {
    cniVersion: '1.0.0', name: 'pods',
    plugins: [
      {
        type: 'bridge', bridge: 'pods', isGateway: true, hairpinMode: true,
        ipam: { type: 'host-local', dataDir: '/run/cni/addresses', ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}

function kubeletConfig(cgroup: string, address: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration',
    // Only this machine's end of a cable reaches it.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } }, authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${socket}`, cgroupDriver: 'cgroupfs', cgroupRoot: `/${cgroup}`, failSwapOn: false, enforceNodeAllocatable: [],
    clusterDNS: [address], clusterDomain, resolvConf: '/run/kubelet/resolv.conf', volumePluginDir: '/run/kubelet/plugins',
    // The disk may be as full as it likes: nothing of this node is on it.
    evictionHard: { 'memory.available': '1Mi', 'nodefs.available': '0%', 'imagefs.available': '0%', 'nodefs.inodesFree': '0%' }, imageGCHighThresholdPercent: 100,
    serializeImagePulls: false, featureGates,
  }
}

/** Control groups of version 1 have a folder a controller, those of version 2 one for all. */
async function cgroupRoots(): Promise<string[]> {
  if (existsSync(join(cgroupFolder, 'cgroup.controllers'))) return [cgroupFolder]
  const entries = await readdir(cgroupFolder, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(cgroupFolder, name))
}

/** Makes those of a machine, and takes away those of tests that were killed: nothing else of theirs is left. */
async function makeCgroups(name: string): Promise<void> {
  const roots = await cgroupRoots()
  for (const root of roots) await mkdir(join(root, name), { recursive: true })
  const others = new Set((await Promise.all(roots.map((root) => readdir(root)))).flat())
  for (const other of others) {
    const owner = ownerOf(other)
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) await removeCgroups(other)
  }
}

/** Innermost first: a group with groups in it stays. */
async function removeCgroups(name: string): Promise<void> {
  const remove = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) await remove(join(folder, entry.name))
    }
    await rmdir(folder).catch(() => {})
  }
  for (const root of await cgroupRoots()) await remove(join(root, name))
}
