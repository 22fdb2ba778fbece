import { schemaOf } from '#api/crds.ts'
import { hubVersion, labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import { conforms } from '#api/schema/conforms.ts'
import type { TAccount, TConfig, TFrameworkConfig, TServer, TTemplate, TTree } from '#api/types.ts'
import type { Problem } from '#api/validate/problem.ts'
import { validateAccount, validatePassword } from '#api/validate/taccount.ts'
import { validateConfigCreate, validateConfigDelete, validateConfigUpdate } from '#api/validate/tconfig.ts'
import { validateFramework, validateFrameworkDelete } from '#api/validate/tframeworkconfig.ts'
import { missingTemplate, validateServer } from '#api/validate/tserver.ts'
import { validateTemplate, validateTemplateDelete } from '#api/validate/ttemplate.ts'
import { validateTree, validateTreeCreate, validateTreeDelete, validateTreeUpdate } from '#api/validate/ttree.ts'
import type { AdmissionOperation } from '#kube/admission.ts'
import { configTextProblems } from './config-text.ts'
import { relatives } from './relatives.ts'
import type { Case, Readers } from './types.ts'
import { validateWorkload } from './workload.ts'

type Validate = (subject: Case<never>) => Promise<readonly Problem[]>

/** Rules by resource and operation (control-plane spec B.2 to B.8). On DELETE the object is the one that goes. */
export const validators: Readonly<Record<string, Partial<Record<AdmissionOperation, Validate>>>> = {
  tservers: { CREATE: server, UPDATE: server },
  tconfigs: { CREATE: createConfig, UPDATE: updateConfig, DELETE: deleteConfig },
  ttemplates: { CREATE: template, UPDATE: template, DELETE: deleteTemplate },
  ttrees: { CREATE: createTree, UPDATE: updateTree, DELETE: deleteTree },
  tframeworkconfigs: { CREATE: framework, UPDATE: framework, DELETE: deleteFramework },
  taccounts: { CREATE: account, UPDATE: account },
  services: { CREATE: validateWorkload, UPDATE: validateWorkload },
  statefulsets: { CREATE: validateWorkload, UPDATE: validateWorkload },
  daemonsets: { CREATE: validateWorkload, UPDATE: validateWorkload },
}

/**
 * What the CRD will refuse before the validating webhook is asked, and is better said here: its rules can name neither the item nor the
 * value that is wrong (see #api/schema/rules.ts), and its schema repeats a password in clear.
 */
export const ownRules: Readonly<Record<string, (subject: Case<never>) => readonly Problem[]>> = {
  tservers: ({ object, old }: Case<TServer>) => (conforms(schemaOf('TServer', hubVersion) ?? {}, object) ? validateServer(object, old) : []),
  taccounts: ({ object }: Case<TAccount>) => validatePassword(object),
}

const isMachinery = ({ identities, request: { userInfo } }: Case<never>): boolean => identities.isController(userInfo) || identities.isKubernetes(userInfo)

async function server({ object, old, namespace, readers }: Case<TServer>): Promise<readonly Problem[]> {
  const problems = [...validateServer(object, old), ...configTextProblems('tserver', 'spec.tars.profile', object.spec.tars?.profile ?? '', old?.spec.tars?.profile)]
  const template = object.spec.tars?.template
  if (template === undefined || (await readers.get(resources.ttemplates, namespace, template)) !== undefined) return problems
  return [...problems, missingTemplate(object, template)]
}

async function createConfig(subject: Case<TConfig>): Promise<readonly Problem[]> {
  return validateConfigCreate(subject.object, subject.object.podSeq === 'm' ? [] : await relatives(subject))
}

async function updateConfig(subject: Case<TConfig>): Promise<readonly Problem[]> {
  const { object, old } = subject
  if (old === undefined || subject.identities.isController(subject.request.userInfo)) return []
  return validateConfigUpdate(object, old, old.activated && !object.activated ? await relatives(subject) : [])
}

async function deleteConfig(subject: Case<TConfig>): Promise<readonly Problem[]> {
  if (isMachinery(subject as Case<never>) || !subject.object.activated) return []
  return validateConfigDelete(subject.object, await relatives(subject), subject.now.getTime())
}

async function template({ object, old, namespace, readers }: Case<TTemplate>): Promise<readonly Problem[]> {
  const known = await ancestors(object, namespace, readers)
  return [...validateTemplate(object, (name) => known.get(name)), ...configTextProblems('ttemplate', 'spec.content', object.spec.content, old?.spec.content)]
}

/** The chain above a template, as far as it goes. */
async function ancestors({ metadata, spec }: TTemplate, namespace: string, readers: Readers): Promise<ReadonlyMap<string, TTemplate>> {
  const known = new Map<string, TTemplate>()
  for (let next = spec.parent; next !== '' && next !== metadata.name && !known.has(next); ) {
    const found: TTemplate | undefined = await readers.get(resources.ttemplates, namespace, next)
    if (found === undefined) break
    known.set(next, found)
    next = found.spec.parent
  }
  return known
}

async function deleteTemplate(subject: Case<TTemplate>): Promise<readonly Problem[]> {
  if (isMachinery(subject as Case<never>)) return []
  const { object, namespace, readers } = subject
  const { name } = object.metadata
  const [templates, servers] = await Promise.all([
    readers.list(resources.ttemplates, namespace, `${labels.parent}=${name}`),
    readers.list(resources.tservers, namespace, `${labels.template}=${name}`),
  ])
  return validateTemplateDelete(object, { templates: templates.map(({ metadata }) => metadata.name), servers: servers.map(({ metadata }) => metadata.name) })
}

async function createTree({ object, namespace, readers }: Case<TTree>): Promise<readonly Problem[]> {
  return validateTreeCreate(object, (await readers.get(resources.ttrees, namespace, object.metadata.name)) !== undefined)
}

async function updateTree({ object, old, namespace, readers, identities, request }: Case<TTree>): Promise<readonly Problem[]> {
  if (identities.isController(request.userInfo)) return []
  if (old === undefined) return validateTree(object)
  const kept = new Set(object.apps.map(({ name }) => name))
  const lost = old.apps.map(({ name }) => name).filter((name) => !kept.has(name))
  const used = await Promise.all(lost.map(async (app) => ((await readers.list(resources.tservers, namespace, `${labels.app}=${app}`)).length > 0 ? [app] : [])))
  return validateTreeUpdate(object, old, new Set(used.flat()))
}

async function deleteTree(subject: Case<TTree>): Promise<readonly Problem[]> {
  return isMachinery(subject as Case<never>) ? [] : validateTreeDelete(subject.object)
}

async function account({ object, old, identities, request }: Case<TAccount>): Promise<readonly Problem[]> {
  return old !== undefined && identities.isController(request.userInfo) ? [] : validateAccount(object)
}

async function framework({ object }: Case<TFrameworkConfig>): Promise<readonly Problem[]> {
  return validateFramework(object)
}

async function deleteFramework(subject: Case<TFrameworkConfig>): Promise<readonly Problem[]> {
  return isMachinery(subject as Case<never>) ? [] : validateFrameworkDelete(subject.object)
}
