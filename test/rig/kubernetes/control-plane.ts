// The control plane of a real Kubernetes: etcd, kube-apiserver and, when asked for, the controllers and the scheduler.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createKubeClient, type KubeClient, type KubeConfig } from '#kube/client.ts'
import { namespaces } from '#kube/resources.ts'
import { createAuthority, issueCertificate } from '#kube/x509.ts'
import { kubernetesProgram } from './binaries.ts'
import { Machine, type Program } from './machine.ts'

export interface ControlPlaneOptions {
  /** Also kube-controller-manager, with all controllers, those that keep objects in order and make no others (garbage collection, ends
   * of namespaces, service accounts, autoscalers, volumes that nobody uses), or these and those that make pods. Default: none. */
  readonly controllers?: keyof typeof controllerNames
  readonly scheduler?: boolean
  /** Writes of the user `tarscontroller` are logged; see {@link ControlPlane.auditLog}. */
  readonly audit?: boolean
}

/** Users that a cluster knows, by their tokens. */
type User = 'admin' | 'controllers' | 'scheduler' | 'kubelet' | 'proxy' | 'dns' | 'tarscontroller'

const serviceRange = '10.96.0.0/16'
export const clusterDomain = 'cluster.local'
export const nodeName = 'node'
/** What this version of Kubernetes can do and does not do unasked. */
export const featureGates = { ImageVolume: true } as const

const users: Readonly<Record<User, readonly [name: string, groups: string]>> = {
  admin: ['admin', 'system:masters'],
  controllers: ['system:kube-controller-manager', ''],
  scheduler: ['system:kube-scheduler', ''],
  kubelet: [`system:node:${nodeName}`, 'system:nodes'],
  proxy: ['system:kube-proxy', ''],
  dns: ['dns', 'system:masters'],
  // Its own name, so that webhooks and audit know it.
  tarscontroller: ['system:serviceaccount:tars-system:tars-controller', 'system:masters'],
}
const objectControllers = ['garbage-collector-controller', 'namespace-controller', 'serviceaccount-controller', 'horizontal-pod-autoscaler-controller', 'persistentvolumeclaim-protection-controller', 'persistentvolume-protection-controller']
const controllerNames = {
  all: ['*'],
  objects: objectControllers,
  workloads: [...objectControllers, 'statefulset-controller', 'daemonset-controller', 'disruption-controller'],
}
const port = 6443
const etcdPort = 2379
/** A program for Node: sends its second argument to the URL that is its first. */
const post = 'const r = await fetch(process.argv[1], { method: "POST", body: process.argv[2], signal: AbortSignal.timeout(30_000) }); console.log(await r.text()); process.exit(r.ok ? 0 : 1)'
const auditLog = '/var/log/audit.log'
const writing = ['create', 'update', 'patch', 'delete', 'deletecollection']
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', users: [users.tarscontroller[0]], verbs: writing }, { level: 'None' }],
}
const folder = '/run/kubernetes'
const validDays = 2
const apiGraceMs = 5_000

export class ControlPlane {
  readonly machine: Machine
  /** For clients outside the machine, as administrator. */
  readonly config: KubeConfig
  readonly client: KubeClient
  readonly authority: ReturnType<typeof createAuthority>
  readonly #tokens: Readonly<Record<User, string>>
  readonly #options: ControlPlaneOptions
  #etcd: Program | undefined
  #api: Program | undefined
  #controllers: Program | undefined

  private constructor(machine: Machine, options: ControlPlaneOptions) {
    this.machine = machine
    this.#options = options
    this.authority = createAuthority({ commonName: 'kubernetes', validDays })
    const tokens = Object.keys(users).map((user) => [user, randomBytes(16).toString('hex')])
    this.#tokens = Object.fromEntries(tokens) as Record<User, string>
    this.config = { server: `https://${machine.address}:${port}`, ca: this.authority.cert, token: this.#tokens.admin }
    this.client = createKubeClient(this.config)
  }

  /** Resolves when the API server is ready. */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const programs = await Promise.all([kubernetesProgram('etcd'), kubernetesProgram('kube-apiserver')])
    const controlPlane = new ControlPlane(await Machine.start(), options)
    try {
      await controlPlane.#start(...programs)
      if (options.controllers !== undefined) await controlPlane.#startControllers(options.controllers)
      if (options.scheduler === true) await controlPlane.#startScheduler()
      return controlPlane
    } catch (error) {
      await controlPlane.stop()
      throw error
    }
  }

  /** Path of the audit log, one JSON text a line, as this process sees it. */
  get auditLog(): string {
    return this.machine.outside(auditLog)
  }

  /** Where etcd answers this process, without TLS. */
  get etcdUrl(): string {
    return `http://${this.machine.address}:${etcdPort}`
  }

  /** Process ids, seen from the test, of what stores and answers. */
  async pids(): Promise<number[]> {
    return Promise.all([this.#etcd, this.#api].flatMap((program) => (program === undefined ? [] : [program.pid()])))
  }

  /** A kubeconfig text for programs within the machine or, as administrator, outside. */
  readonly kubeconfig = (user: User = 'admin'): string =>
    JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'real',
      clusters: [{ name: 'real', cluster: { server: this.config.server, 'certificate-authority-data': Buffer.from(this.authority.cert).toString('base64') } }],
      users: [{ name: user, user: { token: this.#tokens[user] } }],
      contexts: [{ name: 'real', context: { cluster: 'real', user } }],
    })

  /** Kills the API server; {@link resumeApi} starts another over the same state. */
  async killApi(): Promise<void> {
    await this.#api?.kill()
  }

  /** Asks the API server to end, and kills it when calls that are under way hold it up for long. */
  async stopApi(): Promise<void> {
    const api = this.#api
    const patience = setTimeout(() => void api?.kill(), apiGraceMs)
    await api?.kill('SIGTERM')
    clearTimeout(patience)
  }

  async resumeApi(): Promise<void> {
    this.#api = this.machine.start('kube-apiserver', await kubernetesProgram('kube-apiserver'), this.#apiFlags())
    await this.#ready()
  }

  /** Stops the store as it is, or lets it go on. */
  async pauseEtcd(paused: boolean): Promise<void> {
    await this.#etcd?.pause(paused)
  }

  /** Drops the store's history up to now. @returns the revision up to which */
  async compact(): Promise<number> {
    const ask = (path: string, body: object): Promise<string> => this.machine.run(process.execPath, ['--input-type=module', '-e', post, `http://127.0.0.1:${etcdPort}/v3/${path}`, JSON.stringify(body)])
    const { header } = JSON.parse(await ask('maintenance/status', {})) as { header: { revision: string } }
    await ask('kv/compaction', { revision: header.revision, physical: true })
    return Number(header.revision)
  }

  /** Has the controllers look for new kinds now; by themselves they do it every half a minute. */
  async restartControllers(): Promise<void> {
    await this.#controllers?.kill()
    if (this.#options.controllers !== undefined) await this.#startControllers(this.#options.controllers)
  }

  async stop(): Promise<void> {
    this.client.close()
    await this.machine.stop()
  }

  async #start(etcd: string, api: string): Promise<void> {
    const { machine } = this
    // Durability is not under test: the state goes with the machine.
    this.#etcd = machine.start('etcd', etcd, [
      '--data-dir=/run/etcd', '--unsafe-no-fsync', '--log-level=error', '--quota-backend-bytes=8589934592',
      `--listen-client-urls=http://127.0.0.1:${etcdPort},${this.etcdUrl}`, `--advertise-client-urls=${this.etcdUrl}`,
    ])
    const serving = issueCertificate(this.authority, { commonName: 'kube-apiserver', validDays, hosts: [machine.address, '127.0.0.1', '10.96.0.1', 'localhost', 'kubernetes.default.svc'] })
    const account = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs1', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
    const files: Readonly<Record<string, string>> = {
      'ca.crt': this.authority.cert, 'ca.key': this.authority.key, 'api.crt': serving.cert, 'api.key': serving.key,
      'accounts.key': account.privateKey, 'accounts.pub': account.publicKey,
      'audit.json': JSON.stringify(auditPolicy),
      'tokens.csv': Object.entries(users).map(([user, [name, groups]]) => `${this.#tokens[user as User]},${name},${name},"${groups}"\n`).join(''),
    }
    await Promise.all(Object.entries(files).map(([name, content]) => machine.write(`${folder}/${name}`, content)))
    this.#api = machine.start('kube-apiserver', api, this.#apiFlags())
    await this.#ready()
  }

  #apiFlags(): readonly string[] {
    return [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`, `--secure-port=${port}`, `--advertise-address=${this.machine.address}`,
      `--tls-cert-file=${folder}/api.crt`, `--tls-private-key-file=${folder}/api.key`, `--token-auth-file=${folder}/tokens.csv`,
      `--service-account-key-file=${folder}/accounts.pub`, `--service-account-signing-key-file=${folder}/accounts.key`, '--service-account-issuer=https://kubernetes.default.svc',
      `--service-cluster-ip-range=${serviceRange}`, '--authorization-mode=Node,RBAC', '--allow-privileged=true', '--kubelet-preferred-address-types=InternalIP',
      ...(this.#options.audit === true ? [`--audit-policy-file=${folder}/audit.json`, `--audit-log-path=${auditLog}`] : []),
      `--feature-gates=${Object.entries(featureGates).map(([name, on]) => `${name}=${on}`).join()}`,
      // Without the controllers nobody makes the accounts that it asks for.
      ...(this.#options.controllers !== undefined ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ]
  }

  /** Ready to answer, with the default roles and the namespace that all clusters have. */
  async #ready(): Promise<void> {
    await this.machine.until('kube-apiserver is ready', async () => (await this.client.raw('GET', '/readyz')) && (await this.client.get(namespaces, { name: 'default' })))
  }

  async #startControllers(which: keyof typeof controllerNames): Promise<void> {
    await this.machine.write(`${folder}/controllers`, this.kubeconfig('controllers'))
    this.#controllers = this.machine.start('kube-controller-manager', await kubernetesProgram('kube-controller-manager'), [
      `--kubeconfig=${folder}/controllers`, '--use-service-account-credentials', '--leader-elect=false', `--root-ca-file=${folder}/ca.crt`,
      `--service-account-private-key-file=${folder}/accounts.key`, '--allocate-node-cidrs', `--cluster-cidr=${this.machine.podRange}`, '--node-cidr-mask-size=25', `--service-cluster-ip-range=${serviceRange}`,
      `--controllers=${controllerNames[which].join(',')}`,
    ])
  }

  async #startScheduler(): Promise<void> {
    await this.machine.write(`${folder}/scheduler`, this.kubeconfig('scheduler'))
    this.machine.start('kube-scheduler', await kubernetesProgram('kube-scheduler'), [`--kubeconfig=${folder}/scheduler`, '--leader-elect=false'])
  }
}
