import { array, boolean, choice, dateTime, integer, object, optional, string } from './builder.ts'
import { mark, patterns } from './patterns.ts'
import { fixed } from './rules.ts'

const token = object('A token.', {
  name: optional(string('Name of the token.', { pattern: patterns.visible, minLength: 2, maxLength: 32 })),
  content: optional(string('The token.', { maxLength: 8092 })),
  updateTime: optional(dateTime('When it was made.')),
  expirationTime: optional(dateTime('When it ends; the controller removes it then.')),
  valid: boolean('Whether it counts.', true),
})

const authentication = object('How the user proves who he is.', {
  password: optional(string('A new password, in clear; never stored: the API server keeps its bcrypt hash instead.', { pattern: patterns.visible, minLength: 6, maxLength: 32 })),
  bcryptPassword: optional(string('bcrypt hash of the hexadecimal SHA-1 of the password.', { minLength: 60, maxLength: 60 })),
  activated: boolean('Whether the user may log in.', false),
  tokens: optional(array('Tokens that were given out; all go when the password changes.', token)),
}, { oneOf: [['password'], ['bcryptPassword']] })

export const taccountSpec = object('A user of the framework.', {
  username: fixed('taccount', 'spec.username', string('Name of the user.', { pattern: patterns.username, minLength: 2, maxLength: 16 })),
  extra: optional(array('Further facts.', string('A fact.', { maxLength: 1024 }))),
  authentication,
  authorization: array('What the user may do.', object('A role.', {
    role: optional(choice('The role.', ['admin', 'operator', 'developer'])),
    flag: optional(mark('What it is limited to.')),
    updateTime: optional(dateTime('When it was given.')),
  })),
})

export const tframeworkkeySpec = object('Credentials of a framework towards a service provider.', {
  cuid: optional(string('Id of the customer.')),
  pri_key: optional(string('Private key.')),
  autologin: optional(integer('1: users are logged in without being asked.')),
})

const plugin = {
  name: optional(string('Title on screens, in Chinese.')),
  name_en: optional(string('Title on screens, in English.')),
  obj: optional(string('Object that serves it.')),
  type: optional(integer('Where it shows.')),
  path: optional(string('Path below which it is served.')),
} as const

export const tpluginSpec = object('A plug-in of the web interface.', { ...plugin, extern: optional(integer('1: it is served elsewhere.')) })
export const tpluginV1beta1Spec = object('A plug-in of the web interface.', plugin)
