import { completeFramework, type Sparse } from './default.ts'
import { hubApiVersion, names } from './names.ts'
import { frameworkServer, frameworkRoles, type FrameworkRole, type FrameworkServerOptions } from './seed/servers.ts'
import { frameworkTemplates } from './seed/templates.ts'
import type { ApiObject, TFrameworkConfig, TFrameworkConfigFields, TTree } from './types.ts'

export interface SeedOptions extends FrameworkServerOptions {
  /** Where images are pushed to and pulled from: registry and path, e.g. `registry.example:5000/tars`. */
  readonly registry: string
  readonly registrySecret?: string | undefined
  /** Image that tarsnode is injected from. Without it, the tarsnode baked into each image runs. */
  readonly nodeImage?: Sparse<TFrameworkConfigFields>['nodeImage']
  /** `host:port` of the document store. Default: none. */
  readonly elkNodes?: readonly string[] | undefined
  /** Framework services to run. Default: all. */
  readonly roles?: readonly FrameworkRole[] | undefined
}

/** All objects of a new framework, in the order in which they must be created (control-plane spec D.2). The namespace is not among them. */
export function frameworkObjects(options: SeedOptions): ApiObject[] {
  return [
    initialTree(options.namespace, options.time),
    frameworkConfig(options),
    ...frameworkTemplates(options.namespace, options.elkNodes ?? []),
    ...(options.roles ?? frameworkRoles).map((role) => frameworkServer(role, options)),
  ]
}

function initialTree(namespace: string, createTime: string): TTree {
  const made = { createTime, createPerson: 'tars', mark: '' }
  const business = { name: 'TarsFramework', show: 'tars框架服务', weight: 5, ...made }
  return {
    apiVersion: hubApiVersion, kind: 'TTree', metadata: { name: names.tree, namespace },
    apps: ['tars', 'base'].map((name) => ({ name, businessRef: business.name, ...made })),
    businesses: [business],
  }
}

function frameworkConfig({ namespace, registry, registrySecret, nodeImage }: SeedOptions): TFrameworkConfig {
  return completeFramework({ name: names.framework, namespace }, {
    imageBuild: { maxBuildTime: 600 },
    imageUpload: { registry, ...(registrySecret === undefined ? {} : { secret: registrySecret }) },
    recordLimit: { timageRelease: 60, texitedPod: 32, tconfigHistory: 32 },
    ...(nodeImage === undefined ? {} : { nodeImage }),
    expand: { nativeDBConfig: '', nativeFrameworkConfig: '' },
  })
}
