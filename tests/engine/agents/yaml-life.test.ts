import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../../support/supervised-world.ts'

/** Agent YAML with its whole life, on a scripted claude in a real terminal. */
let world: SupervisedWorld
beforeAll(async () => {
  world = await makeSupervisedWorld({ settle: 0.1 })
  await world.supervise()
})
afterAll(() => world.dispose())

async function write(path: string, text: string): Promise<string> {
  const file = join(world.home.dir, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

const never = new AbortController().signal
const begin = async (agent: string): Promise<string> => {
  const cwd = join(world.home.dir, 'cwd')
  const request = { agent, mode: 'headless', cwd, allowMissingSecrets: true } as const
  return (await world.icebox.bottles.start(request, world.context())).slug
}
const workspace = (slug: string, path: string): Promise<string> =>
  readFile(world.icebox.root.path('state', slug, 'live/workspace', path), 'utf8')

test('claude-code: started, told its mission, with its workspace, hooks and flags', async () => {
  await write('site/CLAUDE.md', 'Mine.\n')
  const hooked = join(world.home.dir, 'hooked')
  const file = await write(
    'defs/lead/spec.yaml',
    `apiVersion: scitex-agent-container/v3
kind: Agent
metadata: {labels: {role: lead}}
spec:
  runtime: claude-code
  model: opus
  workdir: ${join(world.home.dir, 'site')}
  env: {SAID: "a 'b' $HOME"}
  claude: {flags: [--dangerously-skip-permissions]}
  startup_commands: [{command: begin the mission}]
  startup: {ready_poll_interval_seconds: 0.1}
  hooks: {pre_start: ['printf "%s %s" "$SCITEX_HOOK" "$SCITEX_AGENT_NAME" >> ${hooked}']}
  mcp_servers: {hub: {command: hub, args: ["\${metadata.name}", "\${metadata.labels.role}"]}}
`,
  )
  await write('defs/lead/src_CLAUDE.md', 'You lead.\n')
  const slug = await begin(file)
  expect(slug).toBe('lead')
  await until('the mission is told', async () => (await world.life(slug)).includes('turn begin the mission'))
  const life = await world.life(slug)
  const started = life.find((line) => line.startsWith('start ')) ?? ''
  expect(started).toContain('--model opus')
  expect(started).toContain('--dangerously-skip-permissions')
  expect(await readFile(hooked, 'utf8')).toMatch(/^pre_start lead/)
  expect(JSON.parse(await workspace(slug, '.mcp.json'))).toMatchObject({
    mcpServers: { hub: { command: 'hub', args: ['lead', 'lead'] } },
  })
  const told = await workspace(slug, 'CLAUDE.md')
  expect(told).toContain('You lead.')
  expect(told).toContain('Mine.')
  // The folder itself is not touched.
  expect(await readFile(join(world.home.dir, 'site/CLAUDE.md'), 'utf8')).toBe('Mine.\n')
  const { list } = world.icebox.bottles
  expect(await list(never)).toMatchObject([{ slug, agent: 'lead', state: 'running' }])
})

test('claude-session: a turn for the mission', async () => {
  const file = await write(
    'defs/turns.yaml',
    `apiVersion: scitex-agent-container/v2
kind: Agent
metadata: {name: turner}
spec:
  runtime: claude-session
  startup_commands: [{command: first turn}]
`,
  )
  const slug = await begin(file)
  expect(slug).toBe('turner')
  await until('the first turn is done', async () => (await world.life(slug)).includes('turn first turn'))
})
