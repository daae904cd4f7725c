import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  isOwn,
  leftOutOf,
  stopQuestion,
} from '../../../../src-main/backends/macos-container/capture-scene.ts'
import {
  clearStop,
  isStopNoted,
  noteStop,
  removeParts,
} from '../../../../src-main/backends/macos-container/capture-state.ts'
import type { ContainerEntry } from '../../../../src-main/backends/macos-container/decode.ts'
import { isBeingFrozen } from '../../../../src-main/backends/macos-container/standstill.ts'
import { tempFolder } from '../../../support/test-root.ts'

const entry = (more: Partial<ContainerEntry> = {}): ContainerEntry => ({
  id: 'bot-bottle-a',
  state: 'running',
  startedAt: null,
  createdAt: null,
  image: { reference: 'docker.io/library/box:1', digest: '' },
  labels: {},
  mounts: [],
  platform: { os: 'linux', architecture: 'arm64' },
  hasTerminal: false,
  workdir: '/',
  ...more,
})

it('names what no export holds, but not the folder through which a run is given its files', () => {
  const mounts = [
    { type: 'volume', source: 'data', destination: '/data' },
    { type: 'bind', source: '/private/x', destination: '/run/icebox' },
    { type: 'bind', source: '/Users/me/w', destination: '/w' },
    { type: 'tmpfs', source: '', destination: '/tmp' },
  ] as const
  expect(leftOutOf(entry({ mounts }), ['/a/.wh.b'])).toEqual([
    'bind /Users/me/w → /w',
    'tmpfs /tmp',
    'volume data → /data',
    'sockets, named pipes and device files',
    'file /a/.wh.b',
  ])
})

it('knows its own containers by the root, and names bottle and release in its question', () => {
  expect(isOwn(entry({ labels: { 'dev.icebox.root': 'one' } }), 'one')).toBe(true)
  expect(isOwn(entry({ labels: { 'dev.icebox.root': 'other' } }), 'one')).toBe(false)
  expect(isOwn(entry(), '')).toBe(false)
  expect(stopQuestion('web', '1.2.0')).toMatch(/web .* container 1\.2\.0 .* Stop web now\?$/)
})

it('remembers over a death that a container was stopped, until it runs again or the machine was restarted', async () => {
  const parts = join(await tempFolder(), 'id.d')
  expect(await isStopNoted(parts)).toBe(false)
  await noteStop(parts)
  expect(await isStopNoted(parts)).toBe(true)
  await clearStop(parts)
  expect(await isStopNoted(parts)).toBe(false)
  await writeFile(join(parts, 'capture.json'), '{"stopped":')
  expect(await isStopNoted(parts)).toBe(true)
  await writeFile(join(parts, 'capture.json'), '{"stopped":true,"bootId":"an older one"}')
  expect(await isStopNoted(parts)).toBe(false)
  await removeParts(parts)
  expect(await readdir(join(parts, '..'))).toEqual([])
})

it('takes only a freeze of this very run for one', async () => {
  const stateDir = await tempFolder()
  const write = (intent: unknown) => writeFile(join(stateDir, 'intent.json'), JSON.stringify(intent))
  expect(await isBeingFrozen(stateDir, 'r1')).toBe(false)
  await mkdir(stateDir, { recursive: true })
  await write({ op: 'freeze', runtime: { runId: 'r1' } })
  expect(await isBeingFrozen(stateDir, 'r1')).toBe(true)
  expect(await isBeingFrozen(stateDir, 'r2')).toBe(false)
  await write({ op: 'stop', runtime: { runId: 'r1' } })
  expect(await isBeingFrozen(stateDir, 'r1')).toBe(false)
  await writeFile(join(stateDir, 'intent.json'), '{')
  expect(await isBeingFrozen(stateDir, 'r1')).toBe(false)
})
