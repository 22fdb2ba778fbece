import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { addHosts, missingHosts } from '../../node/container/hosts.ts'
import { prepareContainer } from '../../node/container/prepare.ts'
import { findTimezone } from '../../node/container/timezone.ts'
import { zoneRules } from '../../node/container/zone-rules.ts'
import { parseEnvironment } from '../../node/env.ts'
import { replaceFile } from '../../node/system/atomic-write.ts'
import { debianTool } from '../rig/tools.ts'
import { removeScratch, scratch } from './rig.ts'

afterAll(removeScratch)

const environment = (root: string, more: Record<string, string> = {}) =>
  parseEnvironment({ PodName: 'Echo-0', PodIP: '10.0.0.7', ServerApp: 'Demo', ServerName: 'Echo', ServerType: 'cpp', TARSNODE_ROOT: root, ...more })

describe('/etc/hosts', () => {
  it('gets what it lacks and nothing twice', () => {
    const first = missingHosts('127.0.0.1 localhost', '10.0.0.7', ['echo-0', 'echo-0.demo-echo'])
    expect(first).toBe('\n10.0.0.7\techo-0\n10.0.0.7\techo-0.demo-echo\n')
    expect(missingHosts(`127.0.0.1 localhost${first}`, '10.0.0.7', ['echo-0', 'echo-0.demo-echo'])).toBe('')
    expect(missingHosts('10.9.9.9 echo-0 # by the kubelet\n#10.0.0.7 other\n', '10.0.0.7', ['echo-0', 'other'])).toBe('10.0.0.7\tother\n')
  })

  it('may be missing or unwritable', () => {
    expect(addHosts(join(scratch('hosts'), 'none', 'hosts'), '10.0.0.7', ['a'])).toMatch(/ENOENT/)
  })
})

describe('the container', () => {
  it('is prepared once and found prepared the second time', () => {
    const root = scratch('container')
    mkdirSync(join(root, 'etc'))
    const settings = environment(root)
    for (let i = 0; i < 2; i++) expect(prepareContainer(settings, silentLogger)).toEqual({ timezone: undefined })
    expect(settings.listenAddress).toBe('echo-0.demo-echo')
    expect(readFileSync(join(root, 'etc/hosts'), 'utf8')).toBe('10.0.0.7\tEcho-0\n10.0.0.7\techo-0.demo-echo\n')
    expect(existsSync(join(root, 'usr/local/app/tars/app_log/Demo/Echo'))).toBe(true)
  })

  it('is refused with the folder that cannot be made', () => {
    const root = scratch('container')
    writeFileSync(join(root, 'usr'), 'a file')
    expect(() => prepareContainer(environment(root), silentLogger)).toThrow(/the folder .*usr\/local\/app\/tars\/tarsnode\/data\/Demo\.Echo cannot be made/)
  })
})

describe('the time zone', () => {
  it('is found by the link, by the content, and not at all', () => {
    const root = scratch('zone')
    const files = { localtime: join(root, 'localtime'), zoneinfo: join(root, 'zoneinfo') }
    expect(findTimezone(files)).toBeUndefined()
    mkdirSync(join(files.zoneinfo, 'Asia'), { recursive: true })
    mkdirSync(join(files.zoneinfo, 'right/Asia'), { recursive: true })
    writeFileSync(join(files.zoneinfo, 'UTC'), 'utc!')
    for (const folder of ['Asia', 'right/Asia']) writeFileSync(join(files.zoneinfo, folder, 'Shanghai'), 'cst8')
    writeFileSync(files.localtime, 'cst8')
    expect(findTimezone(files)).toBe('Asia/Shanghai')
    const linked = { ...files, localtime: join(root, 'link') }
    symlinkSync('/usr/share/zoneinfo/Europe/Berlin', linked.localtime)
    expect(findTimezone(linked)).toBe('Europe/Berlin')
  })

  it('is found by its rules when the host has another edition of the zones: the one whose history fits best', async () => {
    const folder = scratch('zones')
    const files = { localtime: join(folder, 'localtime'), zoneinfo: join(folder, 'zoneinfo') }
    const summer = ['Rule EU 1979 1995 - Sep lastSun 1:00u 0 -', 'Rule EU 1981 max - Mar lastSun 1:00u 1:00 S', 'Rule EU 1996 max - Oct lastSun 1:00u 0 -']
    const andorra = ['Zone Europe/Andorra 0:06 - LMT 1901', ' 0:00 - WET 1946 Sep 30', ' 1:00 - CET 1985 Mar 31 2:00', ' 1:00 EU CE%sT']
    const moscow = ['Zone Europe/Moscow 2:30 - LMT 1901', ' 3:00 - MSK 2011 Mar 27 2:00s', ' 4:00 - MSK 2014 Oct 26 2:00s', ' 3:00 - MSK']
    const berlin = (joined: number): string[] => [`Zone Europe/Berlin 0:53 - LMT ${joined} Apr`, ' 1:00 - CET 1980', ' 1:00 EU CE%sT']
    await zones([...summer, ...andorra, ...moscow, ...berlin(1893), 'Zone Etc/UTC 0 - UTC'], 'fat', files.zoneinfo)
    writeFileSync(join(files.zoneinfo, 'zone.tab'), '#code\tplace\tzone\nAD\t+4230+00131\tEurope/Andorra\nDE\t+5230+01322\tEurope/Berlin\tmost of Germany\n')
    const host = join(folder, 'host')
    await zones([...summer, ...moscow, ...berlin(1892), 'Zone Etc/UTC 0:01 - LMT 1901', ' 0 - UTC', 'Zone Asia/Kolkata 5:30 - IST'], 'slim', host)
    const found = (zone: string): string | undefined => (copyFileSync(join(host, zone), files.localtime), findTimezone(files))
    expect(['Europe/Berlin', 'Europe/Moscow', 'Etc/UTC', 'Asia/Kolkata'].map(found)).toEqual(['Europe/Berlin', 'Europe/Moscow', 'Etc/UTC', undefined])
    const cut = readFileSync(join(host, 'Europe/Berlin'))
    for (let length = 0; length < cut.length - 1; length++) expect(zoneRules(cut.subarray(0, length))?.rule ?? '').not.toBe('CET-1CEST,M3.5.0,M10.5.0/3')
  })
})

/** Compiles zones as Linux distributions do: slim, or fat, with every change of summer time up to 2037. */
async function zones(lines: readonly string[], form: 'slim' | 'fat', folder: string): Promise<void> {
  const source = `${folder}.zi`
  writeFileSync(source, `${lines.join('\n')}\n`)
  execFileSync(await debianTool('zic', 'libc-bin'), ['-b', form, '-d', folder, source])
}

describe('a file that is replaced', () => {
  it('is left alone when nothing changes, and keeps a backup when asked', () => {
    const file = join(scratch('replace'), 'conf')
    replaceFile(file, 'one', { keepBackup: true })
    expect(existsSync(`${file}.bak`)).toBe(false)
    replaceFile(file, 'two', { keepBackup: true })
    replaceFile(file, 'two', { keepBackup: true })
    expect([readFileSync(file, 'utf8'), readFileSync(`${file}.bak`, 'utf8'), existsSync(`${file}.tmp`)]).toEqual(['two', 'one', false])
    chmodSync(file, 0o600)
  })
})

describe('the environment', () => {
  it('may name a type of the image\'s own, with what starts it', () => {
    expect(environment('/', { ServerType: 'rust', ServerLauncherFile: '/opt/run' }).type).toBe('custom')
    expect(environment('/', { ServerType: 'go', ServerLauncherFile: '/opt/run' }).type).toBe('go')
    expect(() => environment('/', { ServerType: 'rust' })).toThrow(/ServerType must be one of cpp, .*, not "rust"/)
  })

  it('names the registry in either form', () => {
    const { registry } = environment('/', { TARSNODE_REGISTRY: 'tcp -h 10.1.1.1 -p 18000', TARSNODE_REGISTRY_PORT: '18001' })
    expect(registry).toEqual({ host: '10.1.1.1', queryPort: 18_000, registryPort: 18_001 })
    expect(environment('/').registry).toEqual({ host: 'tars-tarsregistry', queryPort: 17_890, registryPort: 17_891 })
    expect(() => environment('/', { TARSNODE_REGISTRY: 'none' })).toThrow('TARSNODE_REGISTRY must name a registry for ServerType cpp')
  })
})
