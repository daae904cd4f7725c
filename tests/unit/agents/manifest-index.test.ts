import { execFileSync } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  listManifests,
  openManifestIndex,
  resolveAgent,
  validateManifests,
} from '../../../src-main/agents/manifest-index.ts'
import { failureOf, manifestFolder } from './manifest-folder.ts'

const AGENT = '---\nbottle: web\nprovider: custom\n---\n'
const BOTTLE = '---\nimage: a:1\n---\n'
const BROKEN = '---\nnonsense: [\n---\n'

describe('resolveAgent', () => {
  it('reads only what it needs: broken neighbours block nothing', async () => {
    const dir = await manifestFolder({
      'agents/web.md': AGENT,
      'agents/broken.md': BROKEN,
      'bottles/web.md': BOTTLE,
      'bottles/broken.md': BROKEN,
    })
    const resolved = await resolveAgent(
      await openManifestIndex({ dir }, null, { homeDir: dir, env: {} }),
      'web',
      [],
    )
    expect(resolved).toMatchObject({
      bottleNames: ['web'],
      bottle: { name: 'web', image: 'a:1' },
      rootDir: dir,
    })
    const failed = await failureOf(
      resolveAgent(await openManifestIndex({ dir }, null, { homeDir: dir, env: {} }), 'broken', []),
    )
    expect(failed.code).toBe('manifest-invalid')
    expect(failed.message).toContain(join(dir, 'agents/broken.md:2'))
  })

  it('prefers the project’s agent, says so, and never uses the project’s bottles', async () => {
    const dir = await manifestFolder({ 'agents/web.md': AGENT, 'bottles/web.md': BOTTLE })
    const project = await manifestFolder({
      '.bot-bottle/agents/web.md': '---\nbottle: web\ndescription: ours\n---\n',
      '.bot-bottle/bottles/web.md': '---\nimage: evil:1\nsecrets: [TOKEN]\n---\n',
      '.bot-bottle/bottles/extra.md': BOTTLE,
    })
    const index = await openManifestIndex({ dir }, project)
    const resolved = await resolveAgent(index, 'web', [])
    expect(resolved.agent).toMatchObject({ source: 'project', description: 'ours' })
    expect(resolved.bottle).toMatchObject({ image: 'a:1', secrets: [] })
    expect(resolved.notices.join('\n')).toContain(`${project}/.bot-bottle/bottles is not used`)
    expect(resolved.notices.join('\n')).toContain(`in place of ${dir}/agents/web.md`)
    expect((await failureOf(resolveAgent(index, 'web', ['extra']))).code).toBe('not-found')
  })

  it('does not take the state root for a project', async () => {
    const home = await manifestFolder({
      '.bot-bottle/agents/web.md': AGENT,
      '.bot-bottle/bottles/web.md': BOTTLE,
    })
    const index = await openManifestIndex({ dir: join(home, '.bot-bottle') }, home)
    const resolved = await resolveAgent(index, 'web', [])
    expect(resolved).toMatchObject({ agent: { source: 'home' }, notices: [] })
  })

  it('merges parents first, then the launch list in order, which replaces the agent’s own bottle', async () => {
    const dir = await manifestFolder({
      'agents/web.md': '---\nbottle: own\n---\n',
      'bottles/own.md': '---\nuser: own\n---\n',
      'bottles/base.md': '---\nimage: base:1\nenv: { A: base, B: base }\nprovider: pi\n---\n',
      'bottles/one.md': '---\nextends: base\nenv: { B: one, C: one }\n---\n',
      'bottles/two.md': '---\nenv: { C: two }\n---\n',
    })
    const resolved = await resolveAgent(
      await openManifestIndex({ dir }, null, { homeDir: dir, env: {} }),
      'web',
      ['one', 'two'],
    )
    expect(resolved.bottle).toMatchObject({ name: 'one + two', image: 'base:1', user: null })
    expect(resolved.bottle.env).toEqual({ A: 'base', B: 'one', C: 'two' })
    expect(resolved.agent.provider).toBe('pi')
    const own = await resolveAgent(
      await openManifestIndex({ dir }, null, { homeDir: dir, env: {} }),
      'web',
      [],
    )
    expect(own).toMatchObject({ bottleNames: ['own'], agent: { provider: 'claude' } })
  })

  it('guesses what was meant for an unknown agent or bottle', async () => {
    const dir = await manifestFolder({ 'agents/web.md': AGENT, 'bottles/web.md': BOTTLE })
    const index = await openManifestIndex({ dir }, null, { homeDir: dir, env: {} })
    expect(await failureOf(resolveAgent(index, 'wbe', []))).toMatchObject({
      code: 'not-found',
      message: 'There is no agent "wbe". Did you mean “web”?',
    })
    expect(await failureOf(resolveAgent(index, 'web', ['wev']))).toMatchObject({
      code: 'not-found',
      message: 'There is no bottle "wev". Did you mean “web”?',
    })
    expect((await failureOf(resolveAgent(index, '../web', []))).code).toBe('not-found')
  })

  it.each([
    ['no bottle at all', { 'agents/a.md': '---\n---\n' }, "agent 'a' has no default bottle; pass --bottle"],
    [
      'a bottle that is gone',
      { 'agents/a.md': '---\nskills: []\nbottle: b\n---\n' },
      'a.md:3: There is no bottle "b"',
    ],
    [
      'a parent that is gone',
      { 'agents/a.md': '---\nbottle: b\n---\n', 'bottles/b.md': '---\nuser: x\nextends:\n  - c\n---\n' },
      'b.md:4: There is no bottle "c"',
    ],
    [
      'a circle',
      {
        'agents/a.md': '---\nbottle: b\n---\n',
        'bottles/b.md': '---\nextends: c\n---\n',
        'bottles/c.md': '---\nextends: b\n---\n',
      },
      'b → c → b',
    ],
    [
      'a bottle that extends itself',
      { 'agents/a.md': '---\nbottle: b\n---\n', 'bottles/b.md': '---\nextends: b\n---\n' },
      'b.md:2: The bottles extend each other in a circle: b → b',
    ],
    [
      'a skill that is gone',
      { 'agents/a.md': '---\nbottle: b\nskills: [review]\n---\n', 'bottles/b.md': BOTTLE },
      'a.md:3: There is no skill "review"',
    ],
  ])('refuses %s', async (_case, files, message) => {
    const dir = await manifestFolder(files)
    const failed = await failureOf(
      resolveAgent(await openManifestIndex({ dir }, null, { homeDir: dir, env: {} }), 'a', []),
    )
    expect(failed.code).toBe('manifest-invalid')
    expect(failed.message).toContain(message)
  })

  it('reads each bottle of a dense family once', async () => {
    const files: Record<string, string> = {
      'agents/a.md': '---\nbottle: b24\n---\n',
      'bottles/b0.md': BOTTLE,
    }
    for (let i = 1; i <= 24; i++)
      files[`bottles/b${i}.md`] = `---\nextends: [b${i - 1}, b${Math.max(0, i - 2)}]\n---\n`
    const dir = await manifestFolder(files)
    const resolved = await resolveAgent(
      await openManifestIndex({ dir }, null, { homeDir: dir, env: {} }),
      'a',
      [],
    )
    expect(resolved.bottle.image).toBe('a:1')
  })

  it('brings the skills’ text, and refuses links and other files', async () => {
    const dir = await manifestFolder({
      'agents/a.md': '---\nbottle: b\nskills: [review]\n---\n',
      'bottles/b.md': BOTTLE,
      'skills/review/SKILL.md': 'Review it.',
      'skills/review/more/list.txt': 'one',
      'skills/review/.hidden': 'x',
    })
    const index = await openManifestIndex({ dir }, null, { homeDir: dir, env: {} })
    expect((await resolveAgent(index, 'a', [])).skillFiles).toEqual({
      'review/SKILL.md': 'Review it.',
      'review/more/list.txt': 'one',
    })
    await symlink('/etc/passwd', join(dir, 'skills/review/link.txt'))
    expect((await failureOf(resolveAgent(index, 'a', []))).message).toContain(
      'link.txt:1: This is not a plain file.',
    )
  })

  it('never hangs on a pipe in the place of a manifest', async () => {
    const dir = await manifestFolder({ 'bottles/b.md': BOTTLE, 'agents/x.md': AGENT })
    execFileSync('mkfifo', [join(dir, 'agents/a.md')])
    const failed = await failureOf(
      resolveAgent(await openManifestIndex({ dir }, null, { homeDir: dir, env: {} }), 'a', []),
    )
    expect(failed.message).toContain('This is not a plain file.')
  })
})

describe('listManifests and validateManifests', () => {
  const FILES = {
    'agents/good.md': '---\nbottle: web\ndescription: fine\n---\n',
    'agents/lost.md': '---\nbottle: nowhere\n---\n',
    'agents/broken.md': '---\nnonsense: 1\nmodel: [x]\n---\n',
    'agents/bad name.md': AGENT,
    'agents/sample.md': '---\nbottle: web\n---\n',
    'bottles/web.md': '---\nbackend: host\nprovider: pi\n---\n',
    'bottles/half.md': '---\nsidecars: { forge: { command: [x] } }\n---\n',
  }

  it('lists everything, the broken ones with their problem', async () => {
    const dir = await manifestFolder(FILES)
    const { agents, bottles } = await listManifests(
      await openManifestIndex({ dir }, null, { homeDir: dir, env: {} }),
    )
    const row = (name: string) => agents.find((agent) => agent.name === name)
    expect(row('good')).toMatchObject({ provider: 'pi', backend: 'host', description: 'fine', problem: null })
    expect(row('lost')?.problem).toContain('There is no bottle "nowhere"')
    expect(row('broken')?.problem).toContain('unknown key')
    expect(row('bad name')?.problem).toContain("can't be the name of an agent")
    expect(row('sample')?.source).toBe('sample')
    expect(bottles.map(({ name, problem }) => [name, problem === null])).toEqual([
      ['half', false],
      ['web', true],
    ])
  })

  it('finds every error of every file, or of one name', async () => {
    const dir = await manifestFolder(FILES)
    const index = await openManifestIndex({ dir }, null, { homeDir: dir, env: {} })
    const all = await validateManifests(index)
    expect(all.map(({ file, line }) => `${file.slice(dir.length + 1)}:${line}`)).toEqual([
      'agents/bad name.md:1',
      'agents/broken.md:2',
      'agents/broken.md:3',
      'agents/lost.md:2',
      'bottles/half.md:2',
    ])
    expect(await validateManifests(index, 'good')).toEqual([])
    expect(await validateManifests(index, 'broken')).toHaveLength(2)
    expect((await failureOf(validateManifests(index, 'goood'))).message).toContain('Did you mean “good”?')
  })

  it('is empty for a root without folders', async () => {
    const dir = await manifestFolder()
    const index = await openManifestIndex({ dir }, join(dir, 'no-project'))
    expect(await listManifests(index)).toEqual({ agents: [], bottles: [] })
    expect((await failureOf(resolveAgent(index, 'a', []))).message).toContain('icebox init')
  })
})
