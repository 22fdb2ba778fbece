// Patterns of the k8s.tars.io group (control-plane spec A). Their exact text is a compatibility promise; what was widened says so.
import { longestDnsName } from '#base/address.ts'
import { string, type Schema } from './builder.ts'

export const patterns = {
  app: '^[A-Za-z][0-9A-Za-z]*$',
  /** Wider than the reference, which allows no hyphen: DCache names its servers with one. */
  server: '^[A-Za-z]([-0-9A-Za-z]*[0-9A-Za-z])?$',
  servant: '^[A-Za-z][0-9A-Za-z]{0,62}$',
  template: '^([0-9a-z][-0-9a-z]*)?[0-9a-z](\\.([0-9a-z][-0-9a-z]*)?[0-9a-z])*$',
  secret: '^([0-9a-z][-0-9a-z]*)?[0-9a-z]?(\\.([0-9a-z][-0-9a-z]*)?[0-9a-z])*$',
  id: '^([0-9A-Za-z][-_.0-9A-Za-z]*)?[0-9A-Za-z]$',
  /** Wider than the reference (`- . / 0-9 : a-z`): also upper case and `_` (tags have them), `@` and `+` (digests). */
  image: '^[-./0-9:A-Z_a-z@+]*$',
  portName: '^([0-9a-z][-0-9a-z]*)?[0-9a-z]$',
  qualifiedName: '^([0-9A-Za-z][-._0-9A-Za-z]*[0-9A-Za-z]\\/)?([0-9A-Za-z][-._0-9A-Za-z]*)?[0-9A-Za-z]$',
  labelValue: '^([0-9A-Za-z][-_.0-9A-Za-z]*)?[0-9A-Za-z]?$',
  name: '^([0-9A-Za-z][-0-9A-Za-z]*)?[0-9A-Za-z]$',
  quantity: '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$',
  envName: '^[-._0-9A-Za-z]{1,63}$',
  envPrefix: '^[A-Za-z][_0-9A-Za-z]*$',
  fileKey: '^[-._0-9A-Za-z]{1,253}$',
  configName: '^([0-9A-Za-z][-._0-9A-Za-z]*)?[0-9A-Za-z]$',
  podSeq: '^(m|0|[1-9][0-9]?)$',
  configServer: '^([A-Za-z]([-0-9A-Za-z]*[0-9A-Za-z])?)?$',
  configVersion: '^([0-9a-z][-0-9a-z]*)?[0-9a-z]$',
  business: '^[\\x21-\\x7e\\p{Han}]{2,32}$',
  businessRef: '^(|[\\x21-\\x7e\\p{Han}]{2,32})$',
  userOrGroup: '^(0|[1-9][0-9]{0,5})$',
  username: '^[\\x21-\\x7e\\p{Han}]*$',
  visible: '^[\\x21-\\x7e]*$',
  replicas: '^[1-9]?[0-9]$',
  variant: '^[a-z]([-0-9a-z]*[0-9a-z])?$',
  /** Ordinals of pods and ranges of them, e.g. `0-3,7`. */
  ordinals: '^(0|[1-9][0-9]?)(-(0|[1-9][0-9]?))?(,(0|[1-9][0-9]?)(-(0|[1-9][0-9]?))?)*$',
  /** name.area.group (framework-services spec 1.4); only the group may be `*`. */
  set: '^[-_0-9A-Za-z]+\\.[-_0-9A-Za-z]+\\.([-_0-9A-Za-z]+|\\*)$',
  /** The same, or none. Files know no wildcards (framework-services spec 2.2). */
  configSet: '^([0-9A-Za-z][-_0-9A-Za-z]*\\.[-_0-9A-Za-z]+\\.[-_0-9A-Za-z]*[0-9A-Za-z])?$',
} as const

export const limits = { name: 63, portName: 15, object: longestDnsName, image: 500, content: 1_560_000, mark: 1600, person: 100 } as const

export const appName = (text: string): Schema<string> => string(text, { pattern: patterns.app, maxLength: limits.name })
export const serverName = (text: string): Schema<string> => string(text, { pattern: patterns.server, maxLength: limits.name })
export const templateName = (text: string): Schema<string> => string(text, { pattern: patterns.template, maxLength: limits.object })
export const objectName = templateName
/** May be empty: no secret. */
export const secretName = (text: string): Schema<string> => string(text, { pattern: patterns.secret, maxLength: limits.object })
export const releaseId = (text: string): Schema<string> => string(text, { pattern: patterns.id, maxLength: limits.name })
export const image = (text: string): Schema<string> => string(text, { pattern: patterns.image, maxLength: limits.image })
export const name = (text: string): Schema<string> => string(text, { pattern: patterns.name, maxLength: limits.name })
export const labelValue = (text: string): Schema<string> => string(text, { pattern: patterns.labelValue, maxLength: limits.name })
export const person = (text: string): Schema<string> => string(text, { maxLength: limits.person })
export const mark = (text: string): Schema<string> => string(text, { maxLength: limits.mark })
export const content = (text: string): Schema<string> => string(text, { maxLength: limits.content })
