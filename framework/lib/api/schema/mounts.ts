import { array, boolean, choice, intOrString, integer, map, object, optional, string } from './builder.ts'
import { labelValue, limits, name, patterns } from './patterns.ts'
import { compared, mountsRules, withRules } from './rules.ts'

/** File modes: octal in YAML, so 0644 reads 420 in JSON. */
const mode = { minimum: 0, maximum: 0o777, default: 0o644 } as const

const items = array('Keys to mount; all when absent.', object('A key and its file.', {
  key: string('The key.', { pattern: patterns.fileKey }),
  path: string('File, relative to the mount.'),
  mode: integer('File mode.', mode),
}))

const quantity = (text: string) => intOrString(text, { pattern: patterns.quantity })

const selector = object('Which volumes fit.', {
  matchLabels: optional(map('Labels they carry.', string('Value of the label.'))),
  matchExpressions: optional(array('Further conditions.', object('A condition on a label.', {
    key: string('Label key.'),
    operator: string('In, NotIn, Exists or DoesNotExist.'),
    values: optional(array('Label values.', string('A value.'))),
  }))),
})

const storage = (text: string) => object(text, { storage: optional(quantity('Bytes, as a quantity.')) })

const claimTemplate = object('A claim made for each pod.', {
  metadata: optional(object('Labels and annotations of the claim.', {
    labels: optional(map('Labels.', labelValue('Value.'))),
    annotations: optional(map('Annotations.', labelValue('Value.'))),
  })),
  spec: object('What is claimed.', {
    accessModes: array('How the volume may be mounted.', choice('A mode.', ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany']), { minItems: 1 }),
    volumeName: optional(string('A certain volume.')),
    storageClassName: optional(string('Storage class.')),
    volumeMode: optional(choice('Block device or file system.', ['Block', 'Filesystem'])),
    resources: object('How much.', { limits: optional(storage('Most.')), requests: optional(storage('Least.')) }),
    selector: optional(selector),
  }),
})

const mountSource = object('What is mounted; exactly one.', {
  configMap: optional(object('Files from a ConfigMap.', {
    name: string('Name of the ConfigMap.'),
    items: optional(items),
    defaultMode: integer('Mode of files that name none.', mode),
    optional: boolean('The pod starts without it when it is missing.', true),
  })),
  secret: optional(object('Files from a Secret.', {
    secretName: string('Name of the Secret.'),
    items: optional(items),
    defaultMode: integer('Mode of files that name none.', mode),
    optional: boolean('The pod starts without it when it is missing.', true),
  })),
  persistentVolumeClaim: optional(object('An existing claim, shared by all pods.', {
    claimName: string('Name of the claim.'),
    readOnly: boolean('Mounted read-only.', false),
  })),
  persistentVolumeClaimTemplate: optional(claimTemplate),
  hostPath: optional(object('A path of the node.', {
    path: string('Absolute path on the node.'),
    type: choice('What must be there.', ['', 'Directory', 'DirectoryOrCreate', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice']),
  })),
  emptyDir: optional(object('An empty folder that lives as long as the pod.', {
    medium: optional(choice('Memory for a RAM disk.', ['', 'Memory'])),
    sizeLimit: optional(intOrString('Most bytes, as a quantity.')),
  })),
  tLocalVolume: optional(object('A folder of the node that stays with the pod (served by tarsagent).', {
    uid: string('Owner.', { pattern: patterns.userOrGroup, default: '0' }),
    gid: string('Group.', { pattern: patterns.userOrGroup, default: '0' }),
    mode: string('Octal mode.', { default: '755' }),
  })),
  // Wider than the reference, whose schema lacks this source although its types have it.
  downwardAPI: optional(object('Files with fields of the pod.', {
    items: optional(array('The files.', object('A field and its file.', {
      path: string('File, relative to the mount.'),
      fieldRef: object('A field of the pod.', { apiVersion: optional(string('v1.')), fieldPath: string('e.g. "metadata.labels".') }),
      mode: optional(integer('File mode.', { minimum: 0, maximum: 0o777 })),
    }))),
    defaultMode: integer('Mode of files that name none.', mode),
  })),
}, {
  oneOf: [
    ['configMap'], ['secret'], ['persistentVolumeClaim'], ['persistentVolumeClaimTemplate'], ['hostPath'], ['emptyDir'], ['tLocalVolume'], ['downwardAPI'],
  ],
})

// name, source and mountPath are required here: the reference misspells the keyword, and without them no pod can be made.
export const mounts = (volumeName = name('Name of the volume, unique in the server.')) => withRules(array('Volumes and where they are mounted.', object('A volume and its mount.', {
  name: volumeName,
  source: mountSource,
  readOnly: boolean('Mounted read-only.', false),
  mountPath: string('Path in the container.'),
  subPath: optional(string('Path inside the volume.')),
  subPathExpr: optional(string('Path inside the volume, with $(VARIABLES) of the container.')),
  mountPropagation: optional(choice('Whether later mounts are seen on the other side.', ['None', 'HostToContainer', 'Bidirectional'])),
}), compared), ...mountsRules)

/** v1beta1 had its own rule for volume names. */
export const mountsV1beta1 = () => mounts(string('Name of the volume.', { pattern: '^[A-Za-z][-0-9A-Za-z]{1,47}$', maxLength: limits.name }))
