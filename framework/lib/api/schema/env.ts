import { array, boolean, intOrString, object, optional, string } from './builder.ts'
import { limits, objectName, patterns } from './patterns.ts'

// A key is any that a ConfigMap or Secret may have; the reference's pattern knows neither tls.crt nor db_password.
const keyRef = (what: string) => object(`A key of a ${what}.`, {
  name: objectName(`Name of the ${what}.`),
  key: string('The key.', { pattern: patterns.fileKey }),
  optional: boolean('The variable is left out when the key is missing.', true),
})

const source = object('Where the value comes from; exactly one.', {
  fieldRef: optional(object('A field of the pod.', {
    apiVersion: optional(string('API version of the path, v1.')),
    fieldPath: string('e.g. "status.podIP".'),
  })),
  resourceFieldRef: optional(object('A resource of a container.', {
    containerName: optional(string('Name of the container.')),
    resource: string('e.g. "limits.memory".'),
    divisor: intOrString('Unit of the value.', { default: '1' }),
  })),
  configMapKeyRef: optional(keyRef('ConfigMap')),
  secretKeyRef: optional(keyRef('Secret')),
}, { oneOf: [['fieldRef'], ['resourceFieldRef'], ['configMapKeyRef'], ['secretKeyRef']] })

export const env = array('Environment variables of the container.', object('A variable: value or valueFrom.', {
  name: string('Name of the variable.', { pattern: patterns.envName }),
  value: optional(string('Its value.')),
  valueFrom: optional(source),
}, { oneOf: [['value'], ['valueFrom']] }))

const allOf = (what: string) => object(`All keys of a ${what}.`, {
  name: objectName(`Name of the ${what}.`),
  optional: boolean(`The pod starts without it when the ${what} is missing.`, true),
})

export const envFrom = array('ConfigMaps and Secrets whose keys become variables.', object('One of them.', {
  prefix: optional(string('Put before each key.', { pattern: patterns.envPrefix, maxLength: limits.name })),
  configMapRef: optional(allOf('ConfigMap')),
  secretRef: optional(allOf('Secret')),
}, { oneOf: [['configMapRef'], ['secretRef']] }))
