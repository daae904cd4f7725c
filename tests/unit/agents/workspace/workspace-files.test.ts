import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import { withoutSection, withSection } from '../../../../src-main/agents/workspace/claude-section.ts'
import {
  interpolated,
  planWorkspace,
  WORKSPACE_REMOVAL,
} from '../../../../src-main/agents/workspace/workspace-files.ts'
import {
  type Blocked,
  isBlocked,
  type MergedFiles,
  mergeFiles,
} from '../../../../src-main/backends/merge-files.ts'
import { agentWith } from '../turns/agent.ts'

const workspace = (more: Partial<Lifecycle['workspace']>) => ({ ...DEFAULT_LIFECYCLE.workspace, ...more })

/** The files of a bottle, and what starts and stops do to them; what is blocked there is never to be touched. */
function bottle(files: Record<string, string> = {}, blocked: Record<string, Blocked> = {}) {
  const notices: string[] = []
  const run = (merged: typeof WORKSPACE_REMOVAL) => {
    const done = merged.merge(merged.paths.map(({ path }) => blocked[path] ?? files[path] ?? null))
    notices.push(...done.notices)
    for (const [index, { path }] of merged.paths.entries()) {
      const text = done.texts[index] ?? null
      if (path in blocked) expect(text).toBe(blocked[path])
      else if (text === null) delete files[path]
      else if (!isBlocked(text)) files[path] = text
    }
  }
  return {
    files,
    notices,
    blocked,
    start(lifecycle: Partial<Lifecycle>, args: readonly string[] = [], skipPermissions = false) {
      const plan = planWorkspace({ agent: agentWith({ runtime: null, ...lifecycle }), skipPermissions, args })
      if (plan) run(plan.merged)
      return plan
    },
    stop: () => run(WORKSPACE_REMOVAL),
  }
}

const hole = (what: string) => `\${metadata.${what}}`

const json = (text: string | undefined) => JSON.parse(text ?? 'null') as Record<string, never>

test('an agent without any of it has nothing written', () => {
  expect(bottle().start({})).toBeNull()
})

describe('CLAUDE.md', () => {
  test('the section is replaced in its place, and what a person wrote around it stays', () => {
    const it = bottle({ 'CLAUDE.md': '# Mine\n' })
    it.start({ workspace: workspace({ claudeMd: 'First.' }) })
    it.files['CLAUDE.md'] = `above\n${it.files['CLAUDE.md']}below\n`
    it.start({ workspace: workspace({ claudeMd: 'Second.', skillsRequired: ['git'] }) })
    const text = it.files['CLAUDE.md'] ?? ''
    expect(text).toMatch(
      /^above\n<!-- icebox:start agent=a -->\n[\s\S]*Second\.[\s\S]*```skills\ngit\n```[\s\S]*# Mine\nbelow\n$/,
    )
    expect(text).not.toContain('First.')
    it.stop()
    expect(it.files).toEqual({ 'CLAUDE.md': 'above\n# Mine\nbelow\n' })
  })

  test.each([
    ['two starts', '<!-- icebox:start agent=a -->\n<!-- icebox:start agent=a -->\nx\n<!-- icebox:end -->'],
    ['no end', '<!-- icebox:start agent=a -->\nmine'],
    ['no start', 'mine\n<!-- icebox:end -->'],
    ['the wrong order', '<!-- icebox:end -->\nmine\n<!-- icebox:start agent=a -->'],
    ['a broken start', '<!-- icebox:start agent=a\nmine\n<!-- icebox:end -->'],
  ])('damaged marks are an error and nothing is written: %s', (_name, text) => {
    const it = bottle({ 'CLAUDE.md': text })
    expect(() => it.start({ workspace: workspace({ claudeMd: 'New.' }) })).toThrow('damaged')
    expect(() => it.stop()).toThrow('damaged')
    expect(it.files).toEqual({ 'CLAUDE.md': text })
  })

  test('skills alone go into .claude/CLAUDE.md', () => {
    const it = bottle()
    it.start({ workspace: workspace({ skillsAvailable: ['x'] }), labels: { role: 'lead' } })
    expect(it.files['.claude/CLAUDE.md']).toContain('Role: lead')
    it.stop()
    expect(it.files).toEqual({})
  })

  const userText = fc.string().filter((text) => !text.includes('<!-- icebox:'))
  test('any text of a person survives any number of rounds, to the byte', () => {
    fc.assert(
      fc.property(
        userText,
        userText,
        fc.array(fc.string(), { minLength: 1, maxLength: 4 }),
        (old, more, sections) => {
          let text: string | null = old
          for (const section of sections) text = withSection(text, section, 'a b', 'CLAUDE.md')
          text = more + text
          for (const section of sections) text = withSection(text, section, 'other', 'CLAUDE.md')
          expect(withoutSection(text, 'CLAUDE.md') ?? '').toBe(more + old)
        },
      ),
    )
  })
})

describe('.mcp.json', () => {
  const servers = {
    mine: { command: 'new', args: [hole('name')], env: { ROLE: hole('labels.role') } },
  }

  test('a server is replaced whole, foreign ones stay, and a stop brings the former one back', () => {
    const before =
      '{"mcpServers": {"mine": {"command": "old", "env": {"A": "1"}}, "other": {"url": "u"}}, "x": 1}'
    const it = bottle({ '.mcp.json': before })
    it.start({ workspace: workspace({ mcpServers: servers }), labels: { role: 'lead' } })
    expect(json(it.files['.mcp.json'])).toEqual({
      mcpServers: { mine: { command: 'new', args: ['a'], env: { ROLE: 'lead' } }, other: { url: 'u' } },
      x: 1,
    })
    it.stop()
    expect(it.files).toEqual({ '.mcp.json': before })
  })

  test('it is refreshed at each start: what a definition no longer names goes', () => {
    const it = bottle()
    it.start({ workspace: workspace({ mcpServers: { one: { command: 'a' }, two: { command: 'b' } } }) })
    it.start({ workspace: workspace({ mcpServers: { two: { command: 'c' } } }) })
    expect(json(it.files['.mcp.json'])).toEqual({ mcpServers: { two: { command: 'c' } } })
    it.stop()
    expect(it.files).toEqual({})
  })

  test('a person’s changes after the start stay', () => {
    const it = bottle()
    it.start({ workspace: workspace({ mcpServers: { one: { command: 'a' }, two: { command: 'b' } } }) })
    it.files['.mcp.json'] = JSON.stringify({
      mcpServers: { one: { command: 'edited' }, two: { command: 'b' }, three: {} },
    })
    it.stop()
    expect(json(it.files['.mcp.json'])).toEqual({ mcpServers: { one: { command: 'edited' }, three: {} } })
  })

  test('a text in which nothing of it is left stays to the byte', () => {
    const it = bottle()
    it.start({ workspace: workspace({ mcpServers: servers }) })
    it.files['.mcp.json'] = '{"mcpServers":  {}}'
    it.stop()
    expect(it.files).toEqual({ '.mcp.json': '{"mcpServers":  {}}' })
  })

  test('a file that is no JSON object is an error, and stays', () => {
    for (const text of ['{ // mine\n}', '[]']) {
      const it = bottle({ '.mcp.json': text })
      expect(() => it.start({ workspace: workspace({ mcpServers: servers }) })).toThrow('not a JSON object')
      expect(it.files).toEqual({ '.mcp.json': text })
    }
  })

  // As a file has them: JSON knows no -0.
  const objects = fc
    .dictionary(fc.string(), fc.jsonValue())
    .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
  test('any JSON of a person survives any number of rounds, to the byte', () => {
    fc.assert(
      fc.property(
        objects,
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 3 }),
        (mine, rounds) => {
          const before = JSON.stringify({ ...mine, mcpServers: mine })
          const it = bottle({ '.mcp.json': before })
          for (const mcpServers of rounds)
            it.start({ workspace: workspace({ mcpServers: mcpServers as never }) })
          it.stop()
          expect(it.files).toEqual({ '.mcp.json': before })
        },
      ),
    )
  })

  test('and so do keys that are added between the rounds', () => {
    fc.assert(
      fc.property(objects, objects, objects, (mine, ours, later) => {
        const it = bottle({ '.mcp.json': JSON.stringify(mine) })
        it.start({ workspace: workspace({ mcpServers: ours as never }) })
        const added = Object.fromEntries(Object.entries(later).map(([key, value]) => [`later ${key}`, value]))
        it.files['.mcp.json'] = JSON.stringify({ ...json(it.files['.mcp.json']), ...added })
        it.start({ workspace: workspace({ mcpServers: ours as never }) })
        it.stop()
        expect(json(it.files['.mcp.json'])).toEqual({ ...mine, ...added })
      }),
    )
  })
})

describe('settings', () => {
  const watched = { runtime: 'terminal' as const }

  test('hooks and a status line are added and taken away again', () => {
    const mine = { hooks: { Stop: [{ hooks: [{ type: 'command', command: 'mine' }] }] }, theme: 'dark' }
    const before = JSON.stringify(mine)
    const it = bottle({ '.claude/settings.local.json': before })
    const plan = it.start({ ...watched, workspace: workspace({ mcpServers: { s: {} } }) }, [], true)
    expect(Object.keys(plan?.homeFiles ?? {})).toEqual(['.icebox/event.sh', '.icebox/status-line.sh'])
    const settings = json(it.files['.claude/settings.local.json']) as Record<string, unknown>
    expect(settings).toMatchObject({
      theme: 'dark',
      skipDangerousModePermissionPrompt: true,
      enabledMcpjsonServers: ['s'],
    })
    const { Stop, PreToolUse } = settings.hooks as Record<string, unknown[]>
    expect(Stop).toHaveLength(2)
    expect(PreToolUse).toEqual([expect.objectContaining({ matcher: '*' })])
    it.start({ ...watched, workspace: workspace({ mcpServers: { s: {} } }) }, [], true)
    expect(json(it.files['.claude/settings.local.json'])).toHaveProperty('hooks.Stop.length', 2)
    it.stop()
    expect(it.files).toEqual({ '.claude/settings.local.json': before })
  })

  test('a person’s own status line stays, and settings that are no JSON are left alone', () => {
    const own = { statusLine: { type: 'command', command: 'mine' } }
    const it = bottle({ '.claude/settings.local.json': JSON.stringify(own) })
    it.start(watched)
    expect(json(it.files['.claude/settings.local.json'])).toMatchObject(own)
    const broken = bottle({ '.claude/settings.local.json': '{' })
    broken.start(watched)
    expect(broken.files['.claude/settings.local.json']).toBe('{')
  })

  test('nothing is left of it in an empty bottle, and other providers get none', () => {
    const it = bottle()
    it.start(watched)
    expect(Object.keys(it.files).sort()).toEqual(['.claude/settings.local.json', '.icebox/workspace.json'])
    it.stop()
    expect(it.files).toEqual({})
    const agent = agentWith({ runtime: 'terminal' }, { provider: 'codex' })
    expect(planWorkspace({ agent, skipPermissions: false, args: [] })).toBeNull()
  })
})

test('a damaged record costs nothing of a person’s', () => {
  for (const record of [
    '{',
    '{"files":{".mcp.json":{"before":3}}}',
    '{"files":{".mcp.json":{"before":null,"after":"","undo":[1]}}}',
  ]) {
    const it = bottle({ '.icebox/workspace.json': record, '.mcp.json': '{"a":1}' })
    it.stop()
    expect(it.files).toEqual({ '.mcp.json': '{"a":1}' })
  }
})

test('an unknown label stays as it is written', () => {
  const agent = agentWith({ labels: { role: 'x' } })
  expect(interpolated({ a: [`${hole('labels.role')} ${hole('labels.toString')}`] }, agent)).toEqual({
    a: [`x ${hole('labels.toString')}`],
  })
})

describe('what is no plain file that can be read', () => {
  const link: Blocked = { blocked: 'link' }
  const servers = { one: { command: 'a' } }

  test.each(['CLAUDE.md', '.mcp.json'])('%s ends a start that has something for it, and stays', (file) => {
    for (const blocked of ['link', 'unreadable', 'other', 'not-text'] as const) {
      const it = bottle({}, { [file]: { blocked } })
      const start = () => it.start({ workspace: workspace({ claudeMd: 'New.', mcpServers: servers }) })
      expect(start).toThrow(expect.objectContaining({ code: 'manifest-invalid' }))
      expect(start).toThrow(`${file} of the workspace is `)
      it.stop()
      expect(it.files).toEqual({})
    }
  })

  test('it stays where the definition has nothing for it', () => {
    const it = bottle({}, { 'CLAUDE.md': link, '.mcp.json': link })
    it.start({ workspace: workspace({ skillsRequired: ['git'] }) })
    expect(Object.keys(it.files)).toEqual(['.claude/CLAUDE.md'])
    it.stop()
    expect([it.files, it.notices]).toEqual([{}, []])
  })

  test('a linked .claude folder costs hooks and skills and no start, and is told', () => {
    const it = bottle({}, { '.claude/CLAUDE.md': link, '.claude/settings.local.json': link })
    it.start({ runtime: 'terminal', workspace: workspace({ skillsRequired: ['git'] }) })
    expect(it.files).toEqual({})
    expect(it.notices).toEqual([
      expect.stringMatching(/skills.*\.claude\/CLAUDE\.md .*link/),
      expect.stringMatching(/hooks.*settings\.local\.json .*link/),
    ])
  })

  test('what can’t be reached at a stop is taken back by a later one', () => {
    const it = bottle({ '.mcp.json': '{"a":1}' })
    it.start({ workspace: workspace({ mcpServers: servers }) })
    it.blocked['.mcp.json'] = { blocked: 'unreadable' }
    it.stop()
    expect(it.notices).toEqual([expect.stringContaining('.mcp.json stays for now')])
    delete it.blocked['.mcp.json']
    it.stop()
    expect(it.files).toEqual({ '.mcp.json': '{"a":1}' })
  })

  test('nothing is written in its place, and no file for one that stays', async () => {
    const done: string[] = []
    const merged: MergedFiles = {
      paths: [
        { base: 'home', path: 'a' },
        { base: 'home', path: 'b' },
      ],
      merge: (found) => ({ texts: [found[0] ?? null, 'new'], notices: [] }),
    }
    await mergeFiles(merged, {
      read: async ({ path }) => (path === 'a' ? Buffer.from([0xff]) : null),
      write: async ({ path }) => void done.push(`write ${path}`),
      remove: async ({ path }) => void done.push(`remove ${path}`),
    })
    expect(done).toEqual(['write b'])
  })
})

describe('what an agent can do to its files', () => {
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
  const servers = { one: { command: 'a' } }

  test('nesting that can’t be followed ends a start with its sentence, costs the hooks, and is told at a stop', () => {
    const it = bottle({ '.mcp.json': deep })
    expect(() => it.start({ workspace: workspace({ mcpServers: servers }) })).toThrow('nested too deeply')
    const watched = bottle({ '.claude/settings.local.json': deep })
    watched.start({ runtime: 'terminal' })
    expect(watched.notices).toEqual([expect.stringContaining('nested too deeply')])
    const started = bottle()
    started.start({ workspace: workspace({ mcpServers: servers }) })
    const nested = `{"mcpServers":{"one":{"command":"a"}},"mine":${deep}}`
    started.files['.mcp.json'] = nested
    started.stop()
    expect(started.notices).toEqual([expect.stringContaining('nested too deeply')])
    expect(started.files).toEqual({ '.mcp.json': nested })
  })

  test('a value too deep for the record is no start either', () => {
    const it = bottle({ '.mcp.json': `{"mcpServers":{"one":${deep}}}` })
    expect(() => it.start({ workspace: workspace({ mcpServers: servers }) })).toThrow('nested too deeply')
  })

  test('a forged record overflows nothing and reaches no prototype', () => {
    const forged = (path: readonly string[], had: string) =>
      `{"files":{".mcp.json":{"before":null,"after":"","undo":[{"path":${JSON.stringify(path)},"put":1,"isItem":false,"had":${had}}]}}}`
    const long = bottle({
      '.icebox/workspace.json': forged(
        Array.from({ length: 50_000 }, () => 'a'),
        '2',
      ),
      '.mcp.json': '{"x":1}',
    })
    long.stop()
    expect([long.files, long.notices]).toEqual([{ '.mcp.json': '{"x":1}' }, []])
    for (const path of [
      ['__proto__', 'x'],
      ['constructor', 'prototype', 'x'],
    ]) {
      const it = bottle({ '.icebox/workspace.json': forged(path, '2'), '.mcp.json': '{"__proto__":{"x":1}}' })
      it.stop()
      expect(({} as { x?: number }).x).toBeUndefined()
    }
  })
})
