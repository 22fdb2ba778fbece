import type { PodDisturbance } from './pod-disturbance.ts'

export const restartRegistry: PodDisturbance = {
  weight: 2,
  lasts: [100, 5_000],
  shared: true,
  async begin(_pod, _action, registry) {
    await registry.stopRegistry()
    return { did: 'the registry is stopped', undo: () => registry.startRegistry() }
  },
}

export const restartApiServer: PodDisturbance = {
  weight: 1,
  lasts: [100, 5_000],
  shared: true,
  async begin(_pod, _action, registry) {
    await registry.stopApi()
    return { did: 'the API server is stopped', undo: () => registry.startApi() }
  },
}

export const refuse: PodDisturbance = {
  weight: 2,
  lasts: [200, 15_000],
  begin({ links }) {
    for (const link of links) link.refuse(true)
    return { did: 'the registry refuses the pod', undo: () => links.forEach((link) => link.refuse(false)) }
  },
}

export const hang: PodDisturbance = {
  weight: 2,
  lasts: [200, 15_000],
  begin({ links }) {
    for (const link of links) link.hang(true)
    return { did: 'nothing passes between pod and registry', undo: () => links.forEach((link) => link.hang(false)) }
  },
}

export const cut: PodDisturbance = {
  weight: 1,
  begin({ links }, { choice }) {
    for (const link of links) link.cutAfter(choice)
    return { did: `the next connection to the registry ends after ${choice} bytes` }
  },
}
