// The kinds of the k8s.tars.io group, hub version. Types come from the schemas that the CRDs are made of, so the two cannot differ.
import type { Infer, InferShape } from './schema/builder.ts'
import type { taccountSpec, tframeworkkeySpec, tpluginSpec } from './schema/account.ts'
import type { mounts } from './schema/mounts.ts'
import type { tconfigFields, texitedrecordFields, tframeworkconfigFields, timageFields, ttemplateSpec, ttreeFields } from './schema/others.ts'
import type { hostPorts, port, servant } from './schema/ports.ts'
import type { timageStatus } from './schema/status.ts'
import type { tendpointSpec, tendpointStatus } from './schema/tendpoint.ts'
import type { release, tserverSpec, tserverStatus } from './schema/tserver.ts'

/** Kubernetes OwnerReference. */
export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** Kubernetes ObjectMeta, the part used here. */
export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
}

/** What all objects of the API have. */
export interface ApiObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

export type TServerSpec = Infer<typeof tserverSpec>
export type TServerTars = NonNullable<TServerSpec['tars']>
export type TServerK8S = TServerSpec['k8s']
export type TServerRelease = Infer<typeof release>
export type TServerStatus = Infer<typeof tserverStatus>
export type TServerCondition = NonNullable<TServerStatus['conditions']>[number]
export type Servant = Infer<typeof servant>
export type ServerPort = Infer<typeof port>
export type HostPort = Infer<typeof hostPorts>[number]
export type Mount = Infer<ReturnType<typeof mounts>>[number]
/** What should run, and what does (control-plane spec A.1). */
export interface TServer extends ApiObject { spec: TServerSpec; status?: TServerStatus }

export type TEndpointSpec = Infer<typeof tendpointSpec>
export type TEndpointStatus = Infer<typeof tendpointStatus>
export type TEndpointPod = TEndpointStatus['pods'][number]
/** Pods of a TServer; made by the controller (A.2). */
export interface TEndpoint extends ApiObject { spec: TEndpointSpec; status?: TEndpointStatus }

export type TTemplateSpec = Infer<typeof ttemplateSpec>
/** Configuration template (A.3). */
export interface TTemplate extends ApiObject { spec: TTemplateSpec }

export type TTreeFields = InferShape<typeof ttreeFields>
/** Applications and businesses of a namespace (A.4). */
export interface TTree extends ApiObject, TTreeFields {}

/** Of TConfigs and TImages: facts, and the generation that they are about. */
export type FactsStatus = Infer<typeof timageStatus>

export type TConfigFields = InferShape<typeof tconfigFields>
/** One version of a configuration file (A.5). */
export interface TConfig extends ApiObject, TConfigFields { status?: FactsStatus }

export type TImageFields = InferShape<typeof timageFields>
export type TImageRelease = NonNullable<TImageFields['releases']>[number]
export type TImageBuild = NonNullable<TImageFields['build']>
export type TImageBuildState = NonNullable<TImageBuild['running']>
/** Images of a service or base, and their builds (A.7). */
export interface TImage extends ApiObject, TImageFields { status?: FactsStatus }

export type TExitedRecordFields = InferShape<typeof texitedrecordFields>
export type TExitedPod = TExitedRecordFields['pods'][number]
/** Pods of a server that ended (A.8). */
export interface TExitedRecord extends ApiObject, TExitedRecordFields {}

export type TAccountSpec = Infer<typeof taccountSpec>
/** A user of the framework (A.6). */
export interface TAccount extends ApiObject { spec: TAccountSpec }

export type TFrameworkKeySpec = Infer<typeof tframeworkkeySpec>
/** Credentials of the framework towards a service provider (A.10). */
export interface TFrameworkKey extends ApiObject { spec: TFrameworkKeySpec }

export type TPluginSpec = Infer<typeof tpluginSpec>
/** A plug-in of the web interface (A.10). */
export interface TPlugin extends ApiObject { spec: TPluginSpec }

export type TFrameworkConfigFields = InferShape<typeof tframeworkconfigFields>
/** Settings of the framework in a namespace (A.9). */
export interface TFrameworkConfig extends ApiObject, TFrameworkConfigFields {}
