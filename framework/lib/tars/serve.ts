import type { Lifetime } from '#base/lifecycle.ts'
import { createServer, type BoundEndpoint, type ServerOptions } from './server.ts'

/** So long a role that stops answers what arrives, milliseconds. */
const usualDrainMs = 3000

/** Starts a server as a part of something that lives: it drains when that stops. @returns where it listens, in the order of the adapters */
export async function serveTars(options: ServerOptions, lifetime: Lifetime, drainMs = usualDrainMs): Promise<readonly BoundEndpoint[]> {
  const server = createServer(options)
  await server.start()
  lifetime.own(server)
  lifetime.onStop(() => server.drain(drainMs))
  return server.endpoints
}
