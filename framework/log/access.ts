import type { Access } from '#kube/access.ts'

/** tarslog asks the API server for nothing. */
export const access: Access = {}
