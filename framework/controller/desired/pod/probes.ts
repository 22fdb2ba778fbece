import type { Container, Lifecycle, Probe } from 'kubernetes-types/core/v1.d.ts'
import { reservedPorts } from '#api/names.ts'

/**
 * How the kubelet watches tarsnode. The readiness gate says what tarsregistry heard of the service last; it stays open when nobody
 * is left to speak, and the probes close that hole: a pod without a living supervisor is not Ready, and does not stay so for ever.
 */
export function supervisorProbes(): Pick<Container, 'startupProbe' | 'livenessProbe' | 'readinessProbe'> {
  return { startupProbe: { ...startup }, livenessProbe: { ...liveness }, readinessProbe: { ...readiness } }
}

/**
 * The kubelet's word to tarsnode that the pod ends. A service that is PID 1 itself would get SIGTERM before its callers have heard
 * of it; so the kubelet first waits here, until tarsnode has reported Deactivating and the drain delay is over.
 */
export function supervisorPreStop(): { readonly lifecycle: Lifecycle } {
  return { lifecycle: { preStop: { ...get('/prestop') } } }
}

const get = (path: string): Pick<Probe, 'httpGet'> => ({ httpGet: { path, port: reservedPorts.health, scheme: 'HTTP' } })

/**
 * tarsnode answers /healthz as soon as it runs, long before its service does, so this ends within a second; asked each second,
 * because nothing else is asked before. Two minutes are for a node on which reading 40 MB of runtime from the disk is slow.
 */
const startup: Probe = { ...get('/healthz'), periodSeconds: 1, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 120 }

/**
 * /healthz is about tarsnode alone: a service that crashes again and again keeps its container, for people to look into. A minute in
 * which no answer came within ten seconds is no load peak any more but a supervisor that is wedged or, in a foreground pod,
 * dead: only a new container brings it back, and by then the readiness probe has long sent the callers away. So that stop does
 * not wait for them: its grace is for the service to end in. The types are older than that field of a probe.
 */
const liveness: Probe & { readonly terminationGracePeriodSeconds: number } = { ...get('/healthz'), periodSeconds: 10, timeoutSeconds: 10, successThreshold: 1, failureThreshold: 6, terminationGracePeriodSeconds: 30 }

/**
 * /readyz is what tarsnode knows itself, with no registry between: it counts while the registry is down, and in a foreground pod it is
 * what fails when tarsnode is dead. Answers and refusals are quick, and three of them in a row, six seconds, count; an answer that is
 * slow because the service takes all the CPU is waited for, because callers that are sent away make the other pods' load worse.
 * The second between two readinesses is what a rollout waits for each pod, so it is not longer than need be.
 */
const readiness: Probe = { ...get('/readyz'), periodSeconds: 2, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 3 }
