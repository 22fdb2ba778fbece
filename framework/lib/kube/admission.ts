import type { AnyObject, Status } from './types.ts'

/** Shapes of admission.k8s.io/v1 (Kubernetes, "Dynamic Admission Control"). */

export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

export interface GroupVersionResource {
  group: string
  version: string
  resource: string
}

export interface UserInfo {
  username: string
  uid?: string
  groups?: string[]
}

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export interface AdmissionRequest {
  uid: string
  kind: GroupVersionKind
  resource: GroupVersionResource
  subResource?: string
  /** What the client asked for, before the server converted it for this webhook. */
  requestKind?: GroupVersionKind
  requestResource?: GroupVersionResource
  requestSubResource?: string
  name: string
  namespace?: string
  operation: AdmissionOperation
  userInfo: UserInfo
  /** Null on DELETE. */
  object: AnyObject | null
  /** Null on CREATE. */
  oldObject: AnyObject | null
  dryRun?: boolean
  options?: object | null
}

export interface AdmissionResponse {
  uid: string
  allowed: boolean
  /** Why not, when refused. */
  status?: Status
  patchType?: 'JSONPatch'
  /** Base64 of an RFC 6902 patch. */
  patch?: string
  warnings?: string[]
}

export interface AdmissionReview {
  apiVersion: 'admission.k8s.io/v1'
  kind: 'AdmissionReview'
  request?: AdmissionRequest
  response?: AdmissionResponse
}

/** A conversion of apiextensions.k8s.io/v1 (Kubernetes, "Versions in CustomResourceDefinitions"). */
export interface ConversionReview {
  apiVersion: 'apiextensions.k8s.io/v1'
  kind: 'ConversionReview'
  request?: { uid: string; desiredAPIVersion: string; objects: AnyObject[] }
  response?: { uid: string; convertedObjects: AnyObject[]; result: Status }
}
