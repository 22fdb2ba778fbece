import { hubApiVersion } from '../names.ts'
import { mutateTemplate } from '../mutate/others.ts'
import type { TTemplate } from '../types.ts'

// Texts of the configuration templates: node spec A.5, framework-services spec G. Macros in ${} are filled in by tarsnode.

const standard = `<tars>
  <application>
    enableset=\${enableset}
    setdivision=\${setdivision}
    <client>
      locator=\${locator}
      sync-invoke-timeout=3000
      async-invoke-timeout=5000
      refresh-endpoint-interval=60000
      stat=tars.tarsstat.StatObj
      property=tars.tarsproperty.PropertyObj
      report-interval=60000
      asyncthread=\${asyncthread}
      modulename=\${modulename}
    </client>
    <server>
      app=\${app}
      server=\${server}
      localip=\${localip}
      local=\${local}
      basepath=\${basepath}
      datapath=\${datapath}
      logpath=\${logpath}
      logsize=10M
      lognum=10
      config=tars.tarsconfig.ConfigObj
      notify=tars.tarsnotify.NotifyObj
      log=tars.tarslog.LogObj
      deactivating-timeout=2000
      openthreadcontext=0
      coroutinememsize=1G
      coroutinestack=128K
      logLevel=DEBUG
    </server>
  </application>
</tars>
`

const nodejs = `<tars>
  <application>
    <client>
      asyncthread=2
    </client>
  </application>
</tars>
`

// The classpath ends in /* so that the jars in lib are loaded; the reference's value never loads them.
const java = `<tars>
  <application>
    <server>
      mainclass=com.tars.server.startup.Main
      classpath=conf:WEB-INF/classes:WEB-INF/lib/*
      jvmparams=-Xms500m -Xmx2000m -XX:ErrorFile=\${logpath}\${app}/\${server}/jvm_error.log
      sessiontimeout=120000
      sessioncheckinterval=60000
      tcpnodelay=true
      udpbuffersize=8192
      charsetname=UTF-8
      backupfiles=conf
      loglevel=DEBUG
    </server>
  </application>
</tars>
`

// phptars names its log file by loglevel, and ends when there is none.
const php = `<tars>
  <application>
    <server>
      php=/usr/bin/php
      buffer_output_size=12582912
      open_tcp_nodelay=1
      open_eof_check=0
      open_eof_split=0
      task_worker_num=1
      dispatch_mode=2
      daemonize=1
      loglevel=DEBUG
    </server>
  </application>
</tars>
`

/** K8SFramework's services look for the protocol in /tars/elk, its web in /tars (framework-services F.4); nodes are host:port. */
function es(namespace: string, nodes: readonly string[]): string {
  const protocol = nodes.some((node) => node.startsWith('https://')) ? 'https' : 'http'
  return `<tars>
  protocol=${protocol}
  <elk>
    protocol=${protocol}
    <nodes>
${nodes.map((node) => `      ${node.replace(/^https?:\/\//, '')}\n`).join('')}    </nodes>
    <index>
      notify=${namespace}_notify_
      kevent=${namespace}_kevent_
    </index>
    <indexpre>
      stat=${namespace}_stat_
      property=${namespace}_property_
    </indexpre>
    <age>
      notify=3d
      kevent=3d
      stat=15d
      property=15d
    </age>
  </elk>
</tars>
`
}

/**
 * The templates of a framework, the root first.
 * @param elkNodes `host:port` or addresses of the document store; may be empty
 */
export function frameworkTemplates(namespace: string, elkNodes: readonly string[]): TTemplate[] {
  const template = (name: string, content: string, parent = 'tars.default'): TTemplate =>
    mutateTemplate({ apiVersion: hubApiVersion, kind: 'TTemplate', metadata: { name, namespace }, spec: { content, parent } })
  return [
    template('tars.default', standard),
    template('tars.cpp', ''),
    template('tars.nodejs', nodejs),
    template('tars.java', java),
    template('tars.php', php),
    template('tars.es', es(namespace, elkNodes)),
  ]
}
