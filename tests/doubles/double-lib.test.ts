import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { findProgram, resolveInRoot, resolveUser } from '../support/doubles/lib/in-root.ts'
import { DiskFullError, setKnobs, strikesOf, takeFaults } from '../support/doubles/lib/knobs.ts'
import { parseStat, self } from '../support/doubles/lib/process-id.ts'
import { readJson, takeLock, withLock, writeJson } from '../support/doubles/lib/state.ts'
import { readTarEntries } from '../support/doubles/lib/tar-entries.ts'

const dir = mkdtempSync(join(tmpdir(), 'double-lib-'))
afterAll(() => rmSync(dir, { recursive: true }))
const place = (name: string) => {
  const path = join(dir, name)
  mkdirSync(path, { recursive: true })
  return path
}

describe('paths inside a root', () => {
  const root = place('root')
  mkdirSync(join(root, 'bin'))
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'bin/tool'), '', { mode: 0o755 })
  writeFileSync(join(root, 'bin/plain'), '')
  symlinkSync('/bin', join(root, 'usr'))
  symlinkSync('../../../../etc', join(root, 'out'))
  symlinkSync('loop', join(root, 'loop'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n')

  it('never lead out of it', () => {
    expect(resolveInRoot(root, '/usr/tool')).toBe(join(root, 'bin/tool'))
    expect(resolveInRoot(root, '/out/passwd')).toBe(join(root, 'etc/passwd'))
    expect(resolveInRoot(root, '../../x')).toBe(join(root, 'x'))
    expect(resolveInRoot(root, '/usr', { followLast: false })).toBe(join(root, 'usr'))
    expect(() => resolveInRoot(root, '/loop')).toThrow('too many links')
  })

  it('find programs and users as the guest would', () => {
    expect(findProgram(root, 'tool', '/sbin:/usr', '/')).toBe('/usr/tool')
    expect(findProgram(root, 'plain', '/bin', '/')).toBeNull()
    expect(findProgram(root, './tool', '', '/bin')).toBe('/bin/tool')
    expect(resolveUser(root, 'node')).toMatchObject({ uid: 1000, gid: 1001 })
    expect(resolveUser(root, '1000')).toMatchObject({ uid: 1000, gid: 1001 })
    expect(resolveUser(root, '5:6')).toMatchObject({ uid: 5, gid: 6 })
    expect(resolveUser(root, 'nobody')).toBeNull()
    expect(resolveUser(root, 'node:nogroup')).toBeNull()
  })
})

describe('state and locks', () => {
  it('reads whole values or the fallback', () => {
    const path = join(place('state'), 'a.json')
    expect(readJson(path, { a: 0 })).toEqual({ a: 0 })
    writeJson(path, { a: 1 })
    expect(readJson(path, { a: 0 })).toEqual({ a: 1 })
  })

  it('refuses a lock that is held and takes over that of a dead process', async () => {
    const path = join(place('locks'), 'lock')
    const release = takeLock(path)
    expect(() => takeLock(path, 0)).toThrow('locked')
    release()
    const child = spawn('true')
    await new Promise((resolve) => child.once('close', resolve))
    writeFileSync(path, JSON.stringify({ pid: child.pid, start: '1' }))
    expect(withLock(path, () => 'mine', 0)).toBe('mine')
  })

  it('reads a process whose name holds blanks and brackets', () => {
    const fields = ['S', ...Array.from({ length: 18 }, (_, at) => String(at)), '4711', '0'].join(' ')
    expect(parseStat(`12 (a) b (c) ${fields}`)).toEqual({ pid: 12, state: 'S', start: '4711' })
    expect(self().pid).toBe(process.pid)
  })
})

describe('fault knobs', () => {
  it('strike their verb, as often as they say', () => {
    const here = place('knobs')
    setKnobs(here, {
      faults: [
        { verb: 'export', kind: 'fail', times: 1 },
        { verb: '*', kind: 'slow', ms: 1 },
      ],
    })
    expect(takeFaults(here, 'export').map(({ kind }) => kind)).toEqual(['fail', 'slow'])
    expect(takeFaults(here, 'export').map(({ kind }) => kind)).toEqual(['slow'])
    expect(takeFaults(here, 'list').map(({ kind }) => kind)).toEqual(['slow'])
    expect(takeFaults(place('none'), 'list')).toEqual([])
  })

  it('let the bytes through that the disk still holds', () => {
    const strikes = strikesOf([{ verb: 'export', kind: 'disk-full', bytes: 10 }])
    expect(strikes.beforeBytes(6)).toBe(6)
    expect(strikes.beforeBytes(6)).toBe(4)
    expect(() => strikes.beforeBytes(1)).toThrow(DiskFullError)
    expect(strikesOf([]).beforeBytes(1e9)).toBe(1e9)
  })
})

describe('tar headers', () => {
  it('are read with long names, links and extended attributes', () => {
    const tree = place('tree')
    const long = `${'x'.repeat(90)}/${'y'.repeat(120)}`
    mkdirSync(join(tree, 'x'.repeat(90)))
    writeFileSync(join(tree, long), 'hello')
    symlinkSync('z'.repeat(150), join(tree, 'link'))
    for (const format of ['pax', 'gnu']) {
      const tar = join(dir, `${format}.tar`)
      execFileSync('tar', [`--format=${format}`, '-C', tree, '-cf', tar, '.'])
      const entries = readTarEntries(tar)
      const file = entries.find(({ name }) => name === `./${long}`)
      expect(file).toMatchObject({ type: '0', size: 5 })
      expect(
        readFileSync(tar)
          .subarray(file?.offset, (file?.offset ?? 0) + 5)
          .toString(),
      ).toBe('hello')
      expect(entries.find(({ type }) => type === '2')).toMatchObject({
        name: './link',
        linkName: 'z'.repeat(150),
      })
    }
  })

  it('of something else are refused', () => {
    const path = join(dir, 'no.tar')
    writeFileSync(path, 'x'.repeat(2048))
    expect(() => readTarEntries(path)).toThrow('no tar archive')
  })
})
