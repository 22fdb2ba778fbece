// Who may do what (TAccount, control-plane spec A.6), and plug-ins that ask it.
import { timingSafeEqual } from 'node:crypto'
import { accountName } from '#api/mutate/taccount.ts'
import { resources } from '#api/resources.ts'
import type { TAccount, TPlugin } from '#api/types.ts'
import { isNotFound } from '#kube/errors.ts'
import type { AdminRegServant, PluginConf } from '#tars/protocol/AdminReg.ts'
import { fieldManager } from './change.ts'
import { attempt, codes, done, Refusal } from './outcome.ts'
import type { World } from './world.ts'

type Functions = Pick<AdminRegServant, 'hasDevAuth' | 'hasOpeAuth' | 'hasAdminAuth' | 'checkTicket' | 'registerPlugin'>
type Role = 'admin' | 'operator' | 'developer'

export function accountFunctions({ client, namespace, log }: World): Functions {
  const has = async (uid: string, roles: readonly Role[], flags: readonly string[]): Promise<{ return: number; has: boolean }> => {
    let answer = false
    const { return: code } = await attempt(async () => {
      const account = await client.get<TAccount>(resources.taccounts, { namespace, name: accountName(uid) }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error as Error)))
      answer = account?.spec.username === uid && account.spec.authorization.some((one) => one.role === 'admin' || (roles.some((role) => role === one.role) && flags.includes(one.flag ?? '')))
      return done('Success')
    })
    return { return: code, has: answer }
  }
  const flagsOf = (app: string, server: string): string[] => ['*', app, `${app}.*`, `${app}.${server}`]
  return {
    hasDevAuth: (app, server, uid) => has(uid, ['developer', 'operator'], flagsOf(app, server)),
    hasOpeAuth: (app, server, uid) => has(uid, ['operator'], flagsOf(app, server)),
    hasAdminAuth: (uid) => has(uid, [], []),
    async checkTicket(ticket) {
      let uid = ''
      const { return: code } = await attempt(async () => {
        const { items } = ticket === '' ? { items: [] } : await client.list<TAccount>(resources.taccounts, { namespace })
        uid = items.find((account) => (account.spec.authentication.tokens ?? []).some((token) => isValid(token) && isSame(token.content ?? '', ticket)))?.spec.username ?? ''
        return done('Success')
      })
      return { return: code, uid }
    },
    async registerPlugin(conf) {
      const { return: code, result } = await attempt(async () => {
        // As K8SFramework's web names plug-ins, and by which label it finds those of a kind.
        await client.apply(resources.tplugins, { metadata: { namespace, name: pluginName(conf), labels: { type: String(conf.type) } }, spec: pluginSpec(conf) } as never, { fieldManager, force: true })
        return done('Success')
      })
      if (code !== codes.success) log.error('registerPlugin was refused', { code, why: result })
      return code
    },
  }
}

function isValid({ valid, expirationTime }: NonNullable<TAccount['spec']['authentication']['tokens']>[number]): boolean {
  return valid && (expirationTime === undefined || Date.parse(expirationTime) > Date.now())
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function pluginName({ obj, name_en, name }: PluginConf): string {
  const text = (obj === '' ? (name_en === '' ? name : name_en) : obj).toLowerCase().replaceAll(/[^-.a-z0-9]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '')
  if (text === '') throw new Refusal(codes.parameter, 'a plug-in needs an object or a name')
  return text
}

function pluginSpec({ name, name_en, obj, type, path, fextern }: PluginConf): TPlugin['spec'] {
  return { name, name_en, obj, type, path, extern: fextern }
}
