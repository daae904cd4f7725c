import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import {
  listManifests,
  type ManifestIndex,
  openManifestIndex,
  requireAgent,
  resolveAgent,
  validateManifests,
} from '../../../../src-main/agents/manifest-index.ts'
import { withRecordedAgent } from '../../../../src-main/agents/recorded-agent.ts'
import { failureOf, manifestFolder } from '../manifest-folder.ts'
import { v2, v3 } from './yaml-agent.ts'

const open = (
  dir: string,
  project: string | null = null,
  env: NodeJS.ProcessEnv = {},
): Promise<ManifestIndex> =>
  openManifestIndex({ dir: join(dir, 'root') }, project, { env, homeDir: join(dir, 'home') })

describe('where agent YAML is found', () => {
  it('in the state root, then where other programs keep it, then in the listed folders; first wins', async () => {
    const dir = await manifestFolder({
      'root/agents/a.yaml': v2('model: one', 'a'),
      'home/.scitex/agent-container/agents/a.yaml': v2('model: two', 'a'),
      'home/.scitex/agent-container/agents/b.yml': v2('model: three', 'b'),
      'home/.scitex/orochi/shared/agents/b/b.yaml': v2('model: four', 'b'),
      'home/.scitex/orochi/shared/agents/c/spec.yaml': v3('model: five'),
      'home/.dotfiles/src/.scitex/orochi/agents/d.yaml': v2('model: six', 'd'),
      'more/e.yaml': v2('model: seven', 'e'),
      'more/d.yaml': v2('model: eight', 'd'),
      'more/not-an-agent/readme.txt': 'x',
    })
    const index = await open(dir, null, { SCITEX_AGENT_CONTAINER_YAML_DIRS: `${dir}/none:${dir}/more` })
    const models = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map(async (name) => (await resolveAgent(index, name, [])).agent.model),
    )
    expect(models).toEqual(['one', 'three', 'five', 'six', 'seven'])
    const { agents } = await listManifests(index)
    expect(agents.map(({ name, problem, backend }) => ({ name, problem, backend }))).toEqual(
      expect.arrayContaining([{ name: 'c', problem: null, backend: 'host' }]),
    )
    const failed = await failureOf(resolveAgent(index, 'zzzz', []))
    expect(failed).toMatchObject({ code: 'not-found', detail: expect.stringContaining(`${dir}/more`) })
    expect(failed.detail).toContain('SCITEX_AGENT_CONTAINER_YAML_DIRS is set')
  })

  it('beside Markdown, which wins, and says what it hides', async () => {
    const dir = await manifestFolder({
      'root/agents/a.md': '---\nbottle: box\nmodel: md\n---\n',
      'root/agents/a.yaml': v2('model: yaml', 'a'),
      'root/bottles/box.md': '---\nimage: a:1\n---\n',
    })
    const resolved = await resolveAgent(await open(dir), 'a', [])
    expect(resolved.agent.model).toBe('md')
    expect(resolved.notices.join('\n')).toContain('a.md is used in place of')
  })

  it('by its path, from the project’s folder', async () => {
    const dir = await manifestFolder({
      'p/x/worker/spec.yaml': v3('model: here'),
      'p/m.md': '---\nmodel: md\n---\n',
    })
    const index = await open(dir, join(dir, 'p'))
    expect((await resolveAgent(index, './x/worker/spec.yaml', [])).agent).toMatchObject({
      name: 'worker',
      source: 'path',
      file: join(dir, 'p/x/worker/spec.yaml'),
    })
    expect((await failureOf(resolveAgent(index, 'gone.yaml', []))).code).toBe('not-found')
    expect((await failureOf(resolveAgent(index, './m.md', []))).message).toContain('has no default bottle')
    expect(requireAgent(index, '~/a.yml').file).toBe(join(dir, 'home/a.yml'))
  })

  it('again, by what was recorded, however its name leads elsewhere', async () => {
    const dir = await manifestFolder({
      'p/one.yaml': v2('model: mine', 'worker'),
      'root/agents/worker.yaml': v2('model: other', 'worker'),
      'root/state/s/definitions/agents/worker.md': v2('model: foreign', 'worker'),
    })
    const index = await open(dir)
    const model = async (source: string): Promise<string | null> =>
      (await resolveAgent(await withRecordedAgent(index, 'worker', source), 'worker', [])).agent.model
    expect(await model(`path: ${dir}/p/one.yaml`)).toBe('mine')
    expect(await model(`path: ${dir}/p/gone.yaml`)).toBe('other')
    expect(await model(`home: ${dir}/root/agents/worker.yaml`)).toBe('other')
    // A definition that came along with a bottle has fewer rights, which it must not lose on the way.
    expect(await model(`home: ${dir}/root/state/s/definitions/agents/worker.md`)).toBe('other')
    expect(await model('')).toBe('other')
  })
})

test('bottles of the launch list lie over the agent’s own', async () => {
  const dir = await manifestFolder({
    'root/agents/a.yaml': v2('container: {runtime: docker, image: "own:1"}\nenv: {A: own, B: own}', 'a'),
    'root/bottles/over.md': '---\nimage: over:1\nenv: { B: over }\nsecrets: [KEY]\n---\n',
  })
  const { bottle, bottleNames } = await resolveAgent(await open(dir), 'a', ['over'])
  expect(bottle).toMatchObject({
    image: 'over:1',
    backend: 'docker',
    env: { A: 'own', B: 'over' },
    secrets: ['KEY'],
  })
  expect(bottleNames).toEqual(['over'])
  expect((await resolveAgent(await open(dir), 'a', [])).bottleNames).toEqual([])
})

describe('what lies beside the file', () => {
  it('src_CLAUDE.md, src_mcp.json, src_env and the workdir’s .env are taken in', async () => {
    const dir = await manifestFolder({
      'root/agents/w/spec.yaml': v3(
        'workdir: ../../../work\nenv-file: last.env\nmcp_servers: {both: {command: mine}}',
      ).replace('spec:', 'metadata: {labels: {role: lead}}\nspec:'),
      'root/agents/w/src_CLAUDE.md': '# You lead\n',
      'root/agents/w/src_mcp.json':
        '{"mcpServers": {"both": {"command": "file"}, "hub": {"command": "~/hub", "args": ["~/data", "$' +
        '{metadata.labels.role}", "$' +
        '{TOKEN}"]}}}',
      'root/agents/w/src_env': 'A=1\n',
      'work/.env': 'B=2\n',
    })
    const { agent } = await resolveAgent(await open(dir, null, { TOKEN: 'canary' }), 'w', [])
    expect(agent.lifecycle.workspace).toMatchObject({
      claudeMd: '# You lead\n',
      mcpServers: {
        both: { command: 'mine' },
        // A program finds its own variables; a file in a workspace must not hold their values.
        hub: { command: '~/hub', args: [`${dir}/home/data`, 'lead', `\${TOKEN}`] },
      },
    })
    expect(agent.lifecycle.envFiles).toEqual([
      join(dir, 'work/.env'),
      join(dir, 'root/agents/w/src_env'),
      join(dir, 'root/agents/w/last.env'),
    ])
    expect(JSON.stringify(agent)).not.toContain('canary')
  })

  it('a broken src_mcp.json is a problem of that file', async () => {
    const dir = await manifestFolder({
      'root/agents/w/spec.yaml': v3('model: x'),
      'root/agents/w/src_mcp.json': '{\n  "servers": {}\n}',
    })
    const problems = await validateManifests(await open(dir), 'w')
    expect(problems).toMatchObject([{ file: join(dir, 'root/agents/w/src_mcp.json'), line: 1 }])
  })

  it('venv: auto is the first of this user’s that exists, and none is no error', async () => {
    const dir = await manifestFolder({ 'root/agents/w.yaml': v2('venv: auto', 'w'), 'home/x': '' })
    const venv = async (): Promise<readonly string[]> =>
      (await resolveAgent(await open(dir), 'w', [])).agent.lifecycle.pythonVenv
    expect(await venv()).toEqual([])
    await mkdir(join(dir, 'home/.venv/bin'), { recursive: true })
    await writeFile(join(dir, 'home/.venv/bin/activate'), '')
    expect(await venv()).toEqual([join(dir, 'home/.venv')])
  })

  it('alias files of other programs name this machine', async () => {
    const dir = await manifestFolder({
      'root/agents/w/spec.yaml': v3(`hosts: [special]\nenv: {AT: "\${HOSTNAME}"}`),
      'home/.scitex/host-identity.yaml': 'aliases: [special, other]\n',
      'home/.scitex/agent-container/config.yaml': ': : broken [',
    })
    const env = { SCITEX_AGENT_CONTAINER_HOSTNAME: 'named' }
    const { agent, bottle } = await resolveAgent(await open(dir, null, env), 'w', [])
    expect(agent.name).toBe('w-named')
    expect(bottle.env).toEqual({ AT: 'named' })
  })
})

test('a project’s agents reach nothing of this machine; named by path they do', async () => {
  const reaching = `hooks: {pre_start: [touch /tmp/never]}
env-file: [~/.secrets, ../ok.env, ../link.env]
env: {STOLEN: "\${API_KEY}", PLAIN: x}
secrets: [OTHER_KEY]
workdir: ~/private
container:
  runtime: docker
  volumes:
    - ~/.ssh:/ssh
    - ./data:/data
    - ./link:/link
    - {type: volume, source: somebodys-database, target: /db, external: true}
    - {type: volume, source: own, target: /own}
    - {type: tmpfs, target: /quick}
claude: {flags: [--dangerously-skip-permissions, --settings, x]}
python-venv: ~/v
context_management: {strategy: warn}`
  const dir = await manifestFolder({
    'p/.bot-bottle/agents/w/spec.yaml': v3(reaching),
    'p/.bot-bottle/agents/md.md':
      '---\nbottle: box\nhooks: {pre_stop: [x]}\nclaude: {flags: [--dangerously-skip-permissions]}\n---\n',
    'p/.bot-bottle/agents/ok.env': '',
    'p/.bot-bottle/agents/w/data/x': '',
    'home/.ssh/id': '',
    'root/bottles/box.md': '---\nimage: a:1\n---\n',
  })
  await symlink(join(dir, 'home/.ssh'), join(dir, 'p/.bot-bottle/agents/w/link'))
  await symlink(join(dir, 'home/.ssh/id'), join(dir, 'p/.bot-bottle/agents/link.env'))
  const index = await open(dir, join(dir, 'p'), { API_KEY: 'canary' })
  const { agent, bottle, notices } = await resolveAgent(index, 'w', [])
  expect(Object.values(agent.lifecycle.hooks).flat()).toEqual([])
  expect(agent.lifecycle).toMatchObject({
    args: [],
    pythonVenv: [],
    envFiles: [join(dir, 'p/.bot-bottle/agents/ok.env')],
    context: { strategy: 'warn' },
  })
  expect(agent).not.toHaveProperty('envTemplates')
  expect(agent).not.toHaveProperty('copyFrom')
  expect(bottle).toMatchObject({
    env: { PLAIN: 'x' },
    secrets: [],
    mounts: [
      { source: join(dir, 'p/.bot-bottle/agents/w/data') },
      { source: 'own', external: false },
      { type: 'tmpfs' },
    ],
    provider: { permissions: null },
  })
  expect(notices.join('\n')).toMatch(
    /left out: hooks, env files, env from this machine \(STOLEN\), secrets, container.volumes/,
  )
  const md = await resolveAgent(index, 'md', [])
  expect(md.agent.lifecycle.hooks.pre_stop).toEqual([])
  expect(md.bottle.provider?.permissions ?? null).toBeNull()
  const named = await resolveAgent(index, '.bot-bottle/agents/w/spec.yaml', [])
  expect(named.agent.lifecycle.hooks.pre_start).toHaveLength(1)
  expect(named.bottle.secrets).toEqual(['OTHER_KEY', 'STOLEN'])
})

test('an external volume alone is left out of a project’s agent, and told', async () => {
  const volume = '{type: volume, source: somebodys-database, target: /db, external: true}'
  const dir = await manifestFolder({
    'p/.bot-bottle/agents/w/spec.yaml': v3(`container: {runtime: docker, volumes: [${volume}]}`),
  })
  const index = await open(dir, join(dir, 'p'))
  const { bottle, notices } = await resolveAgent(index, 'w', [])
  expect(bottle.mounts).toEqual([])
  expect(notices.join('\n')).toContain('left out: container.volumes')
})

test('what lies beside a project’s definition, and the definition itself, must lie in the project', async () => {
  const dir = await manifestFolder({
    'p/.bot-bottle/agents/w/spec.yaml': v3('model: x'),
    'p/.bot-bottle/agents/good/spec.yaml': v3('model: x'),
    'p/.bot-bottle/agents/good/src_CLAUDE.md': '# Its own\n',
    'p/.bot-bottle/agents/good/src_mcp.json': '{"mcpServers": {"hub": {"command": "own"}}}',
    'p/shared.md': '---\nbottle: box\n---\nOf the project.\n',
    'private/CLAUDE.md': 'canary',
    'private/mcp.json': '{"mcpServers": {"x": {"command": "canary"}}}',
    'private/agent.md': '---\nbottle: box\n---\nA canary.\n',
    'private/folder/spec.yaml': v3('model: canary'),
    'root/bottles/box.md': '---\nimage: a:1\n---\n',
  })
  const agents = join(dir, 'p/.bot-bottle/agents')
  await symlink(join(dir, 'private/CLAUDE.md'), join(agents, 'w/src_CLAUDE.md'))
  await symlink('../../../../private/mcp.json', join(agents, 'w/src_mcp.json'))
  await symlink(join(dir, 'private/agent.md'), join(agents, 'stolen.md'))
  await symlink(join(dir, 'private/folder'), join(agents, 'folder'))
  await symlink(join(dir, 'p/shared.md'), join(agents, 'shared.md'))
  const index = await open(dir, join(dir, 'p'))
  const { agent, notices } = await resolveAgent(index, 'w', [])
  expect(agent.lifecycle.workspace).toMatchObject({ claudeMd: null, mcpServers: {} })
  expect(JSON.stringify(agent)).not.toContain('canary')
  expect(notices.join('\n')).toMatch(/src_mcp\.json .*left out[\s\S]*src_CLAUDE\.md .*left out/)
  for (const name of ['stolen', 'folder']) {
    const failed = await failureOf(resolveAgent(index, name, []))
    expect(JSON.stringify([failed, failed.message])).toContain('leads out of the project')
  }
  expect((await resolveAgent(index, 'shared', [])).agent.systemPrompt).toBe('Of the project.')
  const good = await resolveAgent(index, 'good', [])
  expect(good.agent.lifecycle.workspace).toMatchObject({
    claudeMd: '# Its own\n',
    mcpServers: { hub: { command: 'own' } },
  })
  expect(good.notices.join('\n')).not.toContain('left out: It')
})

test('what this version refuses is refused at a start, and shown in lists', async () => {
  const dir = await manifestFolder({ 'root/agents/w.yaml': v2('remote: far', 'w') })
  const index = await open(dir)
  expect((await failureOf(resolveAgent(index, 'w', []))).code).toBe('unsupported')
  expect(await validateManifests(index)).toEqual([])
  expect((await listManifests(index)).agents[0]?.problem).toContain('`remote` names far')
  expect((await resolveAgent(index, 'w', [], { mayRefuse: false })).agent.lifecycle.later).toEqual({
    remote: 'far',
  })
})
