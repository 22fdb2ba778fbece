// Folders that hostile pods write to: no link leads out of them, and they go whole.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, Folder } from '../../framework/agent/files/folder.ts'
import { emptyFolder } from '../../framework/agent/files/remove-tree.ts'
import { whileSwapped } from './rig.ts'

let root: string
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'tarsk8s-files-')) })
afterEach(() => rmSync(root, { recursive: true, force: true }))

const at = (...names: string[]): string => join(root, ...names)

describe('a folder', () => {
  test('is not entered through a link', async () => {
    mkdirSync(at('outside'))
    mkdirSync(at('base'))
    symlinkSync(at('outside'), at('base', 'link'))
    await using base = await Folder.open(at('base'))
    await expect(base.enter('link')).rejects.toMatchObject({ code: 'FOLDER_IS_LINK' })
    await expect(base.ensure('link')).rejects.toMatchObject({ code: 'FOLDER_IS_LINK' })
    expect(readdirSync(at('outside'))).toEqual([])
  })

  test.each(['..', '.', '', 'a/b', '/etc', 'a\0b'])('has no entry called %j', async (name) => {
    await using base = await Folder.open(root)
    await expect(base.ensure(name)).rejects.toMatchObject({ code: 'NAME_UNSAFE' })
  })

  test('stays the one that was opened when its name leads elsewhere since', async () => {
    mkdirSync(at('base', 'data'), { recursive: true })
    mkdirSync(at('outside'))
    writeFileSync(at('outside', 'precious'), 'x')
    await using base = await Folder.open(at('base'))
    await using data = await base.enter('data')
    await base.move('data', base, 'elsewhere')
    symlinkSync(at('outside'), at('base', 'data'))
    await (await data.ensure('made'))[Symbol.asyncDispose]()
    await emptyFolder(data)
    expect(readdirSync(at('outside'))).toEqual(['precious'])
    expect(readdirSync(at('base', 'elsewhere'))).toEqual([])
  })

  test('opens files only: no link, no pipe, no folder', async () => {
    writeFileSync(at('file'), 'x')
    writeFileSync(at('secret'), 'x')
    symlinkSync(at('secret'), at('link'))
    execFileSync('mkfifo', [at('pipe')])
    mkdirSync(at('folder'))
    await using base = await Folder.open(root)
    await (await base.openFile('file')).close()
    for (const name of ['link', 'pipe', 'folder']) await expect(base.openFile(name), name).rejects.toThrow()
  })
})

describe('emptying', () => {
  test('removes links, pipes, sockets and folders without rights, and nothing that links lead to', async () => {
    mkdirSync(at('outside'))
    writeFileSync(at('outside', 'precious'), 'x')
    mkdirSync(at('volume', 'a', 'b', 'c'), { recursive: true })
    writeFileSync(at('volume', 'a', 'b', 'file'), 'x')
    symlinkSync(at('outside'), at('volume', 'a', 'out'))
    symlinkSync(at('outside', 'precious'), at('volume', 'out'))
    execFileSync('mkfifo', [at('volume', 'a', 'pipe')])
    mkdirSync(at('volume', 'closed'), { mode: 0 })
    await using volume = await Folder.open(at('volume'))
    await emptyFolder(volume)
    expect(readdirSync(at('volume'))).toEqual([])
    expect(readFileSync(at('outside', 'precious'), 'utf8')).toBe('x')
  })

  test('takes a tree deeper than paths may be long, and wider than one batch', async () => {
    mkdirSync(at('volume'))
    let deepest = await Folder.open(at('volume'))
    for (let depth = 0; depth < 600; depth++) {
      const next = await deepest.ensure('a-folder-in-a-folder')
      await deepest[Symbol.asyncDispose]()
      deepest = next
    }
    await deepest[Symbol.asyncDispose]()
    for (let index = 0; index < 2300; index++) writeFileSync(at('volume', `f${index}`), '')
    await using volume = await Folder.open(at('volume'))
    await emptyFolder(volume)
    expect(readdirSync(at('volume'))).toEqual([])
  })

  test('leads nowhere while a folder is swapped for a link between any two steps', async () => {
    mkdirSync(at('outside'))
    writeFileSync(at('outside', 'precious'), 'x')
    mkdirSync(at('volume'))
    await using volume = await Folder.open(at('volume'))
    await whileSwapped(at('volume', 'swapped'), at('outside'), async () => {
      for (let index = 0; index < 300; index++) await emptyFolder(volume).catch((error: unknown) => expect(['ENOENT', 'EISDIR', 'ENOTDIR', 'EPERM', 'FOLDER_IS_LINK']).toContain(codeOf(error)))
    })
    await emptyFolder(volume)
    expect(readdirSync(at('outside'))).toEqual(['precious'])
  })

  test('goes on where it was cut short', async () => {
    mkdirSync(at('volume', 'a', 'b'), { recursive: true })
    await using volume = await Folder.open(at('volume'))
    const stop = new AbortController()
    stop.abort(new Error('cut short'))
    await expect(emptyFolder(volume, stop.signal)).rejects.toThrow('cut short')
    await emptyFolder(volume)
    expect(readdirSync(at('volume'))).toEqual([])
  })

  test('stops at what somebody mounted into it', async () => {
    mkdirSync(at('foreign'))
    writeFileSync(at('foreign', 'precious'), 'x')
    mkdirSync(at('volume', 'a', 'mounted'), { recursive: true })
    execFileSync('mount', ['--bind', at('foreign'), at('volume', 'a', 'mounted')])
    try {
      await using volume = await Folder.open(at('volume'))
      await expect(emptyFolder(volume)).rejects.toMatchObject({ code: 'VOLUME_HAS_MOUNT' })
      expect(existsSync(at('foreign', 'precious'))).toBe(true)
    } finally {
      execFileSync('sh', ['-c', `grep -o "${root}/volume[^ ]*" /proc/self/mounts | xargs -r umount`])
    }
    await using volume = await Folder.open(at('volume'))
    await emptyFolder(volume)
    expect(existsSync(at('foreign', 'precious'))).toBe(true)
  })
})
