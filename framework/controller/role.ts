import { Lifetime, type Role, type Running } from '#base/lifecycle.ts'
import { hostname } from 'node:os'
import { randomUUID } from 'node:crypto'
import { kubeClientFrom, type KubeClient } from '#kube/client.ts'
import { heldClient } from '#kube/held-client.ts'
import { startElection } from '#kube/lease.ts'
import { startClusterWide, type ClusterWideOptions } from './cluster-wide.ts'
import { startController, type Controller, type ControllerOptions } from './controller.ts'
import { controllerEnv, leaseName } from './env.ts'
import { startHealth } from '#base/health.ts'
import { metric } from '#base/metrics.ts'
import { startWebhooks } from './webhook/webhooks.ts'

/**
 * `tarsk8s controller`: reconcilers, on the replica that was elected, and webhooks, on all. Env: KUBECONFIG (default: the pod's service
 * account) and what {@link controllerEnv} says.
 */
export const start: Role = async ({ env, log, signal }) => {
  const lifetime = new Lifetime()
  const client = kubeClientFrom(env)
  lifetime.onStop(() => client.close())
  try {
    const settings = controllerEnv(env, client.namespace)
    const { namespace, run, elect, home, settleMs, healthPort } = settings
    let problem: () => string | undefined = () => 'it is starting'
    let leading: Controller | undefined
    const metrics = (): string => metric('tarscontroller_leader', 'Whether this one reconciles.', [[Number(leading !== undefined)]]) + (leading?.metrics() ?? '')
    const health = healthPort === undefined ? undefined : lifetime.own(await startHealth({ host: '::', port: healthPort, problem: () => problem(), metrics }))
    const webhooks = run.webhooks ? lifetime.own(await startWebhooks({ client, settings, log, signal })) : undefined
    const onStart = (controller: Controller): void => {
      leading = controller
      controller.done.catch(() => {}).finally(() => (leading = undefined))
    }
    const reconcile = (by: KubeClient, until: AbortSignal): Promise<Running> => startReconcilers({ client: by, namespace, settleMs, log, signal: until }, onStart)
    const lead = (until: AbortSignal, holds: () => boolean): Promise<Running> => reconcile(heldClient(client, holds), until)
    if (run.reconcilers && elect) lifetime.own(startElection({ client, namespace: home, name: leaseName, identity: `${hostname()}_${randomUUID()}`, log, lead }))
    else if (run.reconcilers) lifetime.own(await reconcile(client, signal))
    problem = () => webhooks?.problem()
    log.info('controller is running', { namespace: namespace ?? 'all', ...run, ...(health === undefined ? {} : { healthPort: health.port }) })
  } catch (error) {
    await lifetime.stop()
    throw error
  }
  return lifetime
}

/** The reconcilers of namespaces, and in a controller of all namespaces those of what has none. */
async function startReconcilers(options: ControllerOptions & ClusterWideOptions, onStart: (controller: Controller) => void): Promise<Running> {
  const lifetime = new Lifetime()
  try {
    onStart(lifetime.own(await startController(options)))
    if (options.namespace === undefined) lifetime.own(await startClusterWide(options))
  } catch (error) {
    await lifetime.stop()
    throw error
  }
  return lifetime
}
