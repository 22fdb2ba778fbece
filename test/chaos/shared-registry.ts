import { descriptor, NotingRegistry, type StateReport } from '../node/rig.ts'

/** The registry of all pods; it can go away and come back with its address kept. */
export class SharedRegistry {
  // A short heartbeat time-out: a stopped service shall be found dead within the run.
  readonly noting = new NotingRegistry(descriptor(['hearttimeout=3']))

  start = (): Promise<void> => this.noting.start()

  stop = (): Promise<void> => this.noting.stop()

  /** What it heard last of a pod. */
  view(pod: string): StateReport | undefined {
    return this.noting.reports.findLast((report) => report.pod === pod)
  }
}
