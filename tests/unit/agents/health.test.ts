import { describe, expect, test } from 'vitest'
import type { HealthCheck } from '../../../src-main/agents/definitions.ts'
import { openManifestIndex, resolveAgent } from '../../../src-main/agents/manifest-index.ts'
import { parseAgent, parseBottle } from '../../../src-main/agents/parse-manifest.ts'
import { manifestFolder } from './manifest-folder.ts'

const parsed = async (health: string) =>
  parseBottle(`---\n${health}\n---\n`, { name: 'b', file: '/r/bottles/b.md', homeDir: '/home/me' })

async function healthOf(yaml: string): Promise<HealthCheck | null> {
  const found = await parsed(yaml)
  if (!found.ok) throw new Error(JSON.stringify(found.problems))
  return found.value.health
}

describe('a health check', () => {
  test.each([
    ['image: x', null],
    ['health:', null],
    ['health: {command: [true]}', { command: ['true'], timeout: 60 }],
    ['health: {command: [test, -f, "a b"], timeout: 5}', { command: ['test', '-f', 'a b'], timeout: 5 }],
    ['health: {command: [x], timeout: 3600}', { command: ['x'], timeout: 3600 }],
  ])('%s', async (yaml, expected) => {
    expect(await healthOf(yaml)).toEqual(expected)
  })

  test.each([
    ['health: true', /must be a map/],
    ['health: {timeout: 5}', /needs a `command`/],
    ['health: {command: []}', /needs a `command`/],
    ['health: {command: ["", x]}', /needs a `command`/],
    ['health: {command: "test -f x"}', /must be a list of arguments/],
    ['health: {command: [x], timeout: 0}', /can't be "0"/],
    ['health: {command: [x], timeout: 3601}', /can't be "3601"/],
    ['health: {command: [x], timeout: soon}', /can't be "soon"/],
    ['health: {comand: [x]}', /unknown key/],
  ])('%s is refused', async (yaml, message) => {
    const found = await parsed(yaml)
    expect(found.ok ? [] : found.problems.map((problem) => problem.message)).toContainEqual(
      expect.stringMatching(message),
    )
  })

  test('an agent has one too', async () => {
    const text = '---\nbottle: b\nhealth: {command: [mine]}\n---\n'
    const found = await parseAgent(text, { name: 'a', file: '/r/agents/a.md', source: 'home' })
    expect(found.ok && found.value.health).toEqual({ command: ['mine'], timeout: 60 })
  })

  test("a bottle's stands for its parent's, as a whole", async () => {
    const dir = await manifestFolder({
      'agents/a.md': '---\nbottle: child\n---\n',
      'bottles/parent.md': '---\nhealth: {command: [old], timeout: 5}\n---\n',
      'bottles/child.md': '---\nextends: parent\nhealth: {command: [new]}\n---\n',
      'bottles/plain.md': '---\nextends: parent\n---\n',
    })
    const index = await openManifestIndex({ dir }, null)
    expect((await resolveAgent(index, 'a', [])).bottle.health).toEqual({ command: ['new'], timeout: 60 })
    expect((await resolveAgent(index, 'a', ['plain'])).bottle.health).toEqual({
      command: ['old'],
      timeout: 5,
    })
  })
})
