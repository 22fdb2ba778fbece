import { describe, expect, it } from 'vitest'
import type { TEndpoint, TTemplate } from '#api/types.ts'
import { describe as describeError } from '#base/errors.ts'
import { parseConfig } from '#tars/conf.ts'
import { createAdapterDescriptor, createServerDescriptor } from '#tars/protocol/Registry.ts'
import { describeServer } from '../../framework/registry/model/descriptor.ts'
import { layoutAt, serverPaths } from '../../node/layout.ts'
import { descriptorFromText, descriptorToText } from '../../node/registry/descriptor-text.ts'
import { expandMacros, macrosOf } from '../../node/server-config/macros.ts'
import { renderConf } from '../../node/server-config/render.ts'

const identity = {
  app: 'Demo', server: 'EchoServer', podName: 'demo-echoserver-0', listenAddress: 'demo-echoserver-0.demo-echoserver', localAddress: '127.0.0.1', adminPort: 1000,
  registry: { host: 'tars-tarsregistry', queryPort: 17890, registryPort: 17891 }, paths: serverPaths(layoutAt(), 'Demo', 'EchoServer'),
}

const adapter = (servant: string, port: number, over: object = {}) =>
  createAdapterDescriptor({ adapterName: `Demo.EchoServer.${servant}Adapter`, endpoint: `tcp -h \${localip} -p ${port} -t 60000`, threadNum: 3, maxConnections: 10_000, allowIp: '', servant: `Demo.EchoServer.${servant}`, queuecap: 10_000, queuetimeout: 60_000, protocol: 'tars', ...over })

const adapters = [adapter('ZuluObj', 9001, { protocol: 'not_tars' }), adapter('EchoObj', 9000, { protocol: '' })]
const profile = `
# the template chain, joined
<tars>
  <application>
    enableset=\${enableset}
    setdivision=\${setdivision}
    <client>
      locator=\${locator}
      asyncthread=\${asyncthread}
      modulename=\${modulename}
      empty
    </client>
    <server>
      app=\${app}
      server=\${server}
      localip=\${localip}
      local=\${local}
      basepath=\${basepath}
      datapath=\${datapath}
      logpath=\${logpath}
      mainclass=\${mainclass}
      note=\\=a\\tb\\\\s c
      unknown=\${nobody}
      <Demo.EchoServer.EchoObjAdapter>
        threads=7
      </Demo.EchoServer.EchoObjAdapter>
    </server>
  </application>
</tars>
`
const descriptor = createServerDescriptor({ profile, asyncThreadNum: 5, adapters: new Map(adapters.map((one) => [one.adapterName, one])) })

const golden = `<tars>
  <application>
    enableset=n
    setdivision=NULL
    <server>
      node=tars.tarsnode.ServerObj@tcp -h 127.0.0.1 -p 19386 -t 60000
      app=Demo
      server=EchoServer
      localip=demo-echoserver-0.demo-echoserver
      local=tcp -h 127.0.0.1 -p 1000 -t 3000
      basepath=/usr/local/app/tars/tarsnode/data/Demo.EchoServer/bin/
      datapath=/usr/local/app/tars/tarsnode/data/Demo.EchoServer/data/
      logpath=/usr/local/app/tars/app_log/
      mainclass=com.qq.demo.echoserver.EchoServer
      note=\\=a\\tb\\  c
      unknown=\${nobody}
      <Demo.EchoServer.EchoObjAdapter>
        allow
        endpoint=tcp -h demo-echoserver-0.demo-echoserver -p 9000 -t 60000
        maxconns=10000
        protocol=tars
        queuecap=10000
        queuetimeout=60000
        servant=Demo.EchoServer.EchoObj
        threads=7
      </Demo.EchoServer.EchoObjAdapter>
      <Demo.EchoServer.ZuluObjAdapter>
        allow
        endpoint=tcp -h demo-echoserver-0.demo-echoserver -p 9001 -t 60000
        maxconns=10000
        protocol=not_tars
        queuecap=10000
        queuetimeout=60000
        servant=Demo.EchoServer.ZuluObj
        threads=3
      </Demo.EchoServer.ZuluObjAdapter>
    </server>
    <client>
      locator=tars.tarsregistry.QueryObj@tcp -h tars-tarsregistry -p 17890
      asyncthread=5
      modulename=Demo.EchoServer
      empty
    </client>
  </application>
</tars>
`

describe('the conf of a service', () => {
  it('is, byte for byte, heartbeat target, adapters and the profile over them', () => {
    const conf = renderConf(identity, descriptor)
    expect(conf.text).toBe(golden)
    expect(conf.adapters).toEqual(['Demo.EchoServer.EchoObjAdapter', 'Demo.EchoServer.ZuluObjAdapter'])
    expect(conf.setting('app')).toBe('Demo')
    expect(conf.setting('none')).toBeUndefined()
  })

  it('has the accounts that a profile names for its servants and for those it calls, and says so in its endpoints (TarsDocs, "Authentication")', () => {
    const accounts = (section: string, name: string): string => `<tars><application><${section}><${name}>\naccesskey=bert\nsecretkey=12\\=34\n</${name}></${section}></application></tars>`.replaceAll('><', '>\n<')
    const servant = { name: 'EchoObj', port: 9000, thread: 3, connection: 1, capacity: 1, timeout: 60_000, isTars: true, isTcp: true, auth: true }
    const endpoint = { spec: { app: 'Demo', server: 'EchoServer', tars: { template: 'tars.default', profile: accounts('server', 'Demo.EchoServer.EchoObjAdapter'), servants: [servant] } } } as unknown as TEndpoint
    const template = { spec: { parent: 'tars.default', content: accounts('client', 'Demo.Other.Obj') } } as TTemplate
    const { descriptor: described } = describeServer(endpoint, () => template)
    const conf = parseConfig(renderConf(identity, described).text)
    const at = (path: string): (string | undefined)[] => ['endpoint', 'accesskey', 'secretkey'].map((key) => conf.get(`/tars/application/${path}<${key}>`))
    expect(at('server/Demo.EchoServer.EchoObjAdapter')).toEqual(['tcp -h demo-echoserver-0.demo-echoserver -p 9000 -t 60000 -e 1', 'bert', '12=34'])
    expect(at('client/Demo.Other.Obj')).toEqual([undefined, 'bert', '12=34'])
  })

  it('says that the registry wants an account, where it does', () => {
    const locator = (auth: boolean): string => expandMacros('${locator}', macrosOf({ ...identity, registry: { ...identity.registry, auth } }, descriptor))
    expect([locator(true), locator(false)]).toEqual(['tars.tarsregistry.QueryObj@tcp -h tars-tarsregistry -p 17890 -e 1', 'tars.tarsregistry.QueryObj@tcp -h tars-tarsregistry -p 17890'])
  })

  it('names the line of a profile that is wrong', () => {
    const broken = createServerDescriptor({ profile: '<tars>\n<application>\n</tars>\n', adapters: new Map() })
    expect(() => renderConf(identity, broken)).toThrow(expect.toSatisfy((error: unknown) => describeError(error) === 'the profile of Demo.EchoServer is no valid configuration: line 3: </tars> does not close the open domain <application>: </tars> (correct that line) (correct the profile of the TServer or its template)'))
  })

  it('carries the set of its pod, also out of the descriptor that is kept (framework-services 12)', () => {
    const inSet = descriptorFromText(descriptorToText({ ...descriptor, setdivision: 'a.b.1' }))
    expect(expandMacros('${enableset} ${setdivision}', macrosOf(identity, inSet))).toBe('y a.b.1')
    expect(expandMacros('${enableset} ${setdivision}', macrosOf(identity, descriptor))).toBe('n NULL')
    expect(descriptorFromText('{"profile": "", "asyncThreadNum": 1, "adapters": []}').setdivision).toBe('')
  })

  it('follows a local address and an admin port of its own', () => {
    const macros = macrosOf({ ...identity, localAddress: '127.1.2.3', adminPort: 1001 }, descriptor)
    expect(expandMacros('local=${local};${server}', macros)).toBe('local=tcp -h 127.1.2.3 -p 1001 -t 3000;EchoServer')
  })
})
