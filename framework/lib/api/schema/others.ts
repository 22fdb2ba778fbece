import { array, boolean, choice, dateTime, integer, map, object, optional, string } from './builder.ts'
import { appName, content, image, limits, mark, patterns, person, releaseId, secretName, templateName } from './patterns.ts'
import { fixed, releasesRules, withRules } from './rules.ts'

export const ttemplateSpec = object('A configuration template.', {
  content: content('Text in TC_Config form.'),
  parent: templateName('Template that supplies what this one lacks; its own name when it is a root.'),
})

const made = { createTime: optional(dateTime('When it was made.')), createPerson: optional(person('Who made it.')), mark: optional(mark('Remarks.')) }

/** Flat: its fields are not under spec. */
export const ttreeFields = {
  apps: array('Applications.', object('An application.', {
    name: appName('Name of the application.'),
    businessRef: string('Business it belongs to; may be empty.', { pattern: patterns.businessRef }),
    ...made,
  })),
  businesses: array('Businesses, which group applications on screens.', object('A business.', {
    name: string('Name of the business.', { pattern: patterns.business }),
    show: string('Title on screens.', { minLength: 1, maxLength: 100 }),
    weight: integer('Order on screens: higher first.', { minimum: 1, maximum: 5, default: 3 }),
    ...made,
  })),
} as const

/** Flat. */
export const tconfigFields = {
  app: fixed('tconfig', 'app', appName('Application.')),
  server: fixed('tconfig', 'server', string('Server; empty for a file of the whole application.', { pattern: patterns.configServer, maxLength: limits.name, default: '' })),
  configName: fixed('tconfig', 'configName', string('File name.', { pattern: patterns.configName, maxLength: limits.name })),
  configContent: fixed('tconfig', 'configContent', content('File content; cannot change: a change is a new TConfig.')),
  set: optional(string('Set that it is for, name.area.group; empty for servers of no set.', { pattern: patterns.configSet, maxLength: limits.name })),
  references: optional(array('Files of the application whose text comes before this one\'s, in this order.', string('File name.', { pattern: patterns.configName, maxLength: limits.name }), { maxItems: 32 })),
  podSeq: fixed('tconfig', 'podSeq', string('"m" for all pods, or the number of the pod whose file it is.', { pattern: patterns.podSeq, maxLength: 2, default: 'm' })),
  updateTime: optional(dateTime('When it was made.')),
  updatePerson: optional(person('Who made it.')),
  updateReason: optional(mark('Why it was made.')),
  activated: boolean('In force. Setting it on an older version brings that version back.', true),
  version: optional(string('Version; made by the API server.', { pattern: patterns.configVersion, maxLength: limits.name })),
} as const

/** Types whose packages are built; python is ours, the reference knows it in its builder only. */
export const serverTypes = ['cpp', 'go', 'nodejs-pkg', 'nodejs', 'java-jar', 'java-war', 'php', 'python'] as const
const serverType = (text: string) => choice(text, serverTypes)

const anyImage = (text: string) => string(text, { maxLength: limits.image })

const buildState = (text: string) => object(text, {
  id: releaseId('Release id it makes.'),
  baseImage: anyImage('Image it stands on.'),
  baseImageSecret: optional(secretName('Pull secret of the base image.')),
  image: image('Image it makes.'),
  secret: optional(secretName('Push secret of the image.')),
  serverType: optional(serverType('How the service is launched.')),
  createPerson: optional(string('Who asked for it.', { maxLength: 800 })),
  createTime: optional(dateTime('When it was asked for.')),
  mark: optional(mark('Remarks.')),
  phase: optional(string('Pending, Preparing, Submitting, Building, Pushing, Done or Failed.')),
  message: optional(mark('What it is doing, or why it failed.')),
  handler: optional(string('Who is building.', { maxLength: 253 })),
})

/** Flat. */
export const timageFields = {
  imageType: choice('base: stands under services. server: releases of a service. node: carries tarsnode.', ['base', 'server', 'node']),
  supportedType: optional(array('Server types that a base image can carry.', serverType('A server type.'), { minItems: 1 })),
  mark: optional(mark('Remarks.')),
  default: optional(releaseId('Id of the release that is used when none is named.')),
  releases: optional(withRules(array('Images that were made; newest first.', object('An image.', {
    id: releaseId('Release id.'),
    image: anyImage('Image reference.'),
    secret: optional(secretName('Pull secret.')),
    ...made,
  }), { minItems: 0, maxItems: 120 }), ...releasesRules)),
  build: optional(object('Builds.', { last: optional(buildState('The last that ended.')), running: optional(buildState('The one that runs.')) })),
} as const

/** Flat. */
export const texitedrecordFields = {
  app: string('Application.'),
  server: string('Server.'),
  pods: array('Pods that ended; newest first.', object('A pod.', {
    uid: string('UID of the pod.'),
    name: string('Name of the pod.'),
    id: optional(string('Release id it ran.')),
    nodeIP: optional(string('Address of its node.')),
    podIP: optional(string('Address it had.')),
    createTime: optional(dateTime('When it was created.')),
    deleteTime: optional(dateTime('When its deletion began.')),
  }), { maxItems: 150 }),
} as const

const keptPods = (text: string) => integer(text, { minimum: 10, maximum: 100, default: 48 })
const registry = (text: string) => object(text, { registry: image('Registry and path, e.g. "registry.example:5000/tars".'), secret: optional(secretName('Push and pull secret.')) })
const nodeImage = object('Default node image.', {
  image: image('Image that tarsnode is injected from.'),
  secret: optional(secretName('Pull secret.')),
  // Not in the reference, which always copies; no field there means what it does.
  injection: choice('How a node image reaches the pods. copy: an init container copies tarsnode into each pod. imageVolume: the image is mounted read-only, with no copy and no init container; needs Kubernetes 1.35 (or 1.33 with the feature gate ImageVolume) and a container runtime that mounts a folder of an image and lets its files be executed: containerd 2.2 does, 2.1 mounts the whole image, CRI-O may let nothing be executed.', ['copy', 'imageVolume'], 'copy'),
  probes: boolean('Whether pods into which tarsnode is injected get probes of its /healthz and /readyz. false while a node image is that of K8SFramework, which has neither.', true),
})

const groupName = (text: string) => string(text, { pattern: patterns.labelValue, minLength: 1, maxLength: limits.name })
/** Native keeps these in t_server_group_rule and t_group_priority (framework-services spec 1.3). */
const topology = object('Which pods and callers are near each other.', {
  groupLabel: string('Label of nodes whose value is the group of their pods.', { pattern: patterns.qualifiedName, maxLength: 317, default: 'topology.kubernetes.io/zone' }),
  stationLabel: string('Label of nodes whose value is the station that their groups belong to.', { pattern: patterns.qualifiedName, maxLength: 317, default: 'topology.kubernetes.io/region' }),
  enableGroup: boolean('Whether servers that do not say so themselves prefer callers of their own group.', false),
  groups: optional(array('Groups by address; they count before the labels of nodes.', object('A group.', {
    name: groupName('Name.'),
    addresses: array('Addresses: 10.1.2.3, or 10.1.2.*', string('An address.', { pattern: '^([0-9]{1,3}\\.){3}([0-9]{1,3}|\\*)$|^[0-9A-Fa-f:]+$' })),
  }))),
  priorities: optional(array('Groups that stand in for each other, the nearest first; they count before those of the same station by label.', object('Some groups.', {
    groups: array('Names of the groups.', groupName('A group.'), { minItems: 1 }),
    station: optional(groupName('Station that they are; callers ask for it by name.')),
  }))),
})

const commonFramework = {
  recordLimit: object('How much history is kept.', {
    texitedPod: keptPods('Ended pods a server.'),
    tconfigHistory: keptPods('Inactive versions a config file.'),
    timageRelease: keptPods('Releases a TImage.'),
  }, { default: {} }),
  // Optional here and required in the reference: without it, the tarsnode baked into each image runs.
  nodeImage: optional(nodeImage),
  // Not in the reference, whose pods always do.
  hostTimezone: boolean('Whether pods have the time zone of their node, by a host path, which the Pod Security levels baseline and restricted refuse. false: theirs is that of their image, or what TZ in spec.k8s.env says.', true),
  upChain: map('Where objects that are not here are looked up: by object name, or "default".', array('Endpoints.', object('An endpoint.', {
    host: string('Host name or address.', { pattern: patterns.image, maxLength: limits.image }),
    port: integer('Port.', { minimum: 1, maximum: 65535 }),
    timeout: integer('Milliseconds.', { default: 6000 }),
    isTcp: boolean('TCP when true, UDP when false.', true),
  }), { minItems: 1 }), {}),
  // From here on not in the reference.
  upstream: optional(map('Registries that are asked where objects are that are not here and not in upChain: by object name, App.Server, App or "default".', string('Locator of the registry, e.g. "tars.tarsregistry.QueryObj@tcp -h 10.0.0.1 -p 17890".', { minLength: 1, maxLength: limits.image }))),
  endpointHost: optional(choice('What callers get as the host of a pod: its DNS name or its address.', ['dns', 'ip'])),
  topology: optional(topology),
  expand: map('Further settings.', string('A value.'), {}),
} as const

const buildTime = integer('Seconds an image build may take.', { minimum: 180, maximum: 900, default: 300 })

/** Flat. */
export const tframeworkconfigFields = {
  imageBuild: object('How images are built.', {
    maxBuildTime: buildTime,
    idFormat: optional(string('Form of release ids.')),
    // Optional here and required in the reference: this image builder needs no executor.
    executor: optional(object('Image of a build executor.', { image: image('Image.'), secret: string('Pull secret.', { pattern: patterns.secret, maxLength: limits.object, default: '' }) })),
  }),
  imageUpload: registry('Where images go.'),
  ...commonFramework,
} as const

export const tframeworkconfigV1beta2Fields = {
  imageBuild: object('How images are built.', { maxBuildTime: buildTime, idFormat: string('Form of release ids.', { default: '' }) }),
  imageRegistry: registry('Where images go.'),
  ...commonFramework,
} as const
