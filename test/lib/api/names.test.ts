// What the translator says of a pod and what tarsnode does in it are in rooms that do not know each other.
import { expect, test } from 'vitest'
import { paths, registryPorts, reservedPorts } from '#api/names.ts'
import { ADMIN_PORT, HTTP_PORT, launcherPath, layoutAt, NODE_PORT, QUERY_PORT, REGISTRY_PORT, SERVER_PORT, SUPERVISOR_DIR } from '../../../node/layout.ts'

test('paths and ports are those of tarsnode', () => {
  expect(paths.supervisor).toBe(SUPERVISOR_DIR)
  expect(paths.supervisorLauncher).toBe(launcherPath())
  expect([paths.nodeWorkDir, paths.appLog, paths.localtime]).toEqual([layoutAt().workDir, layoutAt().logRoot, layoutAt().localtime])
  expect(reservedPorts).toMatchObject({ admin: ADMIN_PORT, node: NODE_PORT, server: SERVER_PORT, health: HTTP_PORT })
  expect(registryPorts).toEqual({ query: QUERY_PORT, registry: REGISTRY_PORT })
})
