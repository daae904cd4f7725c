import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAgent, parseBottle } from '../../../src-main/agents/parse-manifest.ts'
import type { ManifestProblem } from '../../../src-main/agents/problems.ts'

const agentOf = (text: string) => parseAgent(text, { name: 'a', file: '/r/agents/a.md', source: 'home' })
const bottleOf = (text: string) =>
  parseBottle(text, { name: 'b', file: '/r/bottles/b.md', homeDir: '/home/me' })

async function agent(text: string) {
  const parsed = await agentOf(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

async function bottle(yaml: string) {
  const parsed = await bottleOf(`---\n${yaml}\n---\n`)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

async function problems(
  run: ReturnType<typeof agentOf | typeof bottleOf>,
): Promise<readonly ManifestProblem[]> {
  const parsed = await run
  return parsed.ok ? [] : parsed.problems
}

describe('an agent file', () => {
  it('loads every key, and the body as the system prompt', async () => {
    const text = `---
name: Web worker
description: Builds the site
bottle: web
provider: custom
command:
  headless: [agent, --task, "{prompt}"]
  interactive: [agent]
  resume: [agent, --session, "{session}"]
skills: [review, write-tests]
model: opus
color: green
memory: user
git-gate:
  user: { name: Ada, email: ada@example.com }
---

You are careful.
`
    expect(await agent(text)).toMatchObject({
      name: 'a',
      displayName: 'Web worker',
      description: 'Builds the site',
      bottle: 'web',
      provider: 'custom',
      isProviderGiven: true,
      command: {
        headless: ['agent', '--task', '{prompt}'],
        interactive: ['agent'],
        resume: ['agent', '--session', '{session}'],
      },
      skills: ['review', 'write-tests'],
      model: 'opus',
      color: 'green',
      memory: 'user',
      gitGateUser: { name: 'Ada', email: 'ada@example.com' },
      systemPrompt: 'You are careful.',
    })
  })

  it('takes a byte order mark, CRLF and an empty frontmatter', async () => {
    const parsed = await agent('\uFEFF---\r\nbottle: web\r\n---\r\nHello\r\nworld\r\n')
    expect(parsed).toMatchObject({ bottle: 'web', systemPrompt: 'Hello\nworld', provider: 'claude' })
    expect(await agent('---\n---\n')).toMatchObject({
      bottle: null,
      systemPrompt: '',
      isProviderGiven: false,
    })
  })

  it('tells all problems at once, with line and a guess', async () => {
    const found = await problems(
      agentOf('---\nbottel: web\nskills:\n  - ok\n  - Not Kebab\nprovider: claud\n---\n'),
    )
    expect(found).toEqual([
      {
        file: '/r/agents/a.md',
        line: 2,
        message: 'An agent has an unknown key "bottel".',
        hint: 'Did you mean “bottle”?',
      },
      expect.objectContaining({ line: 5, message: expect.stringContaining('"Not Kebab"') }),
      expect.objectContaining({ line: 6, hint: 'Did you mean “claude”?' }),
    ])
  })

  it.each([
    ['an empty file', '', 'The file is empty.'],
    ['blank lines', '\n \r\n', 'The file is empty.'],
    ['no frontmatter', '# Title\n', 'There is no frontmatter.'],
    ['an open frontmatter', '---\nbottle: x\n', 'The frontmatter does not end.'],
    ['a list instead of keys', '---\n- a\n---\n', 'An agent must be a map of keys'],
    ['a plain text instead of keys', '---\nhello\n---\n', 'An agent must be a map of keys'],
    ['a key twice', '---\nbottle: a\nbottle: b\n---\n', 'The YAML is not valid'],
    ['broken YAML', '---\nbottle: [a\n---\n', 'The YAML is not valid'],
    ['an alias', '---\nmemory: &a x\nname: *a\n---\n', 'anchors are not supported'],
    ['an alias of nothing', '---\nname: *a\n---\n', 'not'],
    ['a tag', '---\nname: !!binary aGk=\n---\n', 'tags and anchors are not supported'],
    ['an unknown tag', '---\nname: !js x\n---\n', 'The YAML is not valid'],
    ['a map as a key', '---\n? {a: 1}\n: x\n---\n', 'A key must be a plain word.'],
    ['deep nesting', `---\nmemory: ${'['.repeat(100)}${']'.repeat(100)}\n---\n`, 'nested too deeply'],
    ['very deep nesting', `---\nmemory: ${'['.repeat(30_000)}\n---\n`, ''],
    ['an endless frontmatter', `---\nname: ${'x'.repeat(70_000)}\n---\n`, 'longer than 64 KiB'],
    ['too many values', `---\nmemory: [${'1,'.repeat(15_000)}1]\n---\n`, 'too many values'],
    [
      'a command that is one text',
      '---\nprovider: custom\ncommand: {headless: run it}\n---\n',
      'a list of arguments',
    ],
    [
      'a command without a program',
      '---\nprovider: custom\ncommand: {headless: []}\n---\n',
      'must name a program',
    ],
    [
      'a command for claude',
      '---\nprovider: claude\ncommand: {headless: [x]}\n---\n',
      'needs `provider: custom`',
    ],
    ['a bottle that leaves its folder', '---\nbottle: ../x\n---\n', "can't be the name of a bottle"],
    ['a model that looks like an option', '---\nmodel: --help\n---\n', "can't be the name of a model"],
    ['a list of bottles', '---\nbottle: [a]\n---\n', '`bottle` must be a text'],
    [
      'a system prompt that no argument can hold',
      `---\n---\n${'x'.repeat(100_001)}`,
      'The body is the system prompt',
    ],
  ])('refuses %s', async (_case, text, message) => {
    const found = await problems(agentOf(text))
    expect(found.length).toBeGreaterThan(0)
    expect(found.map((problem) => problem.message).join('\n')).toContain(message)
    expect(found.every((problem) => problem.line >= 1)).toBe(true)
  })

  it('never throws and never hangs, whatever the text', async () => {
    const yamlish = fc.array(
      fc.oneof(
        fc.constantFrom(
          '---\n',
          'bottle: ',
          '- ',
          '[',
          ']',
          '{',
          '}',
          ': ',
          '&a ',
          '*a',
          '!!x ',
          '|\n',
          '"',
          '\n',
          '\t',
          '<<: ',
        ),
        fc.string(),
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          yamlish.map((parts) => parts.join('')),
        ),
        async (text) => {
          for (const wrapped of [text, `---\n${text}\n---\n`]) {
            expect(typeof (await agentOf(wrapped)).ok).toBe('boolean')
            expect(typeof (await bottleOf(wrapped)).ok).toBe('boolean')
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a bottle file', () => {
  it('loads every key', async () => {
    const read = await bottle(`
extends: [base, net]
image: registry.example.com:5000/team/image:1.2@sha256:${'a'.repeat(64)}
backend: docker
user: "1000:1000"
workdir: /workspace
env: { A: x, VERSION: 1.10, FLAG: true, EMPTY: '' }
secrets: [TOKEN, TOKEN, OTHER]
mounts:
  - ~/data:/data:ro
  - ./rel:/rel/
  - cache:/cache
  - { type: tmpfs, target: /scratch }
  - { type: volume, source: shared, target: /shared, external: true, read_only: true }
  - { source: "/with:colon", target: /colon, readOnly: true }
resources: { cpus: "1.5", memory: 512m }
sidecars:
  forge: { image: forge:1, command: [serve, --port, 80], env: { P: 1 }, secrets: [FORGE_TOKEN] }
egress:
  routes:
    - { host: api.example.com, matches: [/v1], auth: { token: T }, role: agent, dlp: true }
git-gate:
  user: { name: Ada }
  repos: { web: { url: "https://example.com/web.git" } }
supervise: true
provider: { name: codex, args: [--verbose], permissions: ask, future: 1 }`)
    expect(read.extends.map((parent) => parent.name)).toEqual(['base', 'net'])
    expect(read.env).toEqual({ A: 'x', VERSION: '1.10', FLAG: 'true', EMPTY: '' })
    expect(read.secrets).toEqual(['TOKEN', 'OTHER'])
    expect(read.mounts).toEqual([
      { type: 'bind', source: '/home/me/data', target: '/data', readOnly: true, external: false },
      { type: 'bind', source: '/r/bottles/rel', target: '/rel', readOnly: false, external: false },
      { type: 'volume', source: 'cache', target: '/cache', readOnly: false, external: false },
      { type: 'tmpfs', source: '', target: '/scratch', readOnly: false, external: false },
      { type: 'volume', source: 'shared', target: '/shared', readOnly: true, external: true },
      { type: 'bind', source: '/with:colon', target: '/colon', readOnly: true, external: false },
    ])
    expect(read.resources).toEqual({ cpus: 1.5, memoryBytes: 512 * 2 ** 20 })
    expect(read.sidecars.forge).toMatchObject({
      image: 'forge:1',
      command: ['serve', '--port', '80'],
      env: { P: '1' },
    })
    expect(read.egress?.routes[0]).toEqual({
      host: 'api.example.com',
      matches: ['/v1'],
      auth: { token: 'T' },
      role: 'agent',
      dlp: true,
    })
    expect(read.gitGate).toEqual({
      user: { name: 'Ada', email: null },
      repos: { web: { url: 'https://example.com/web.git' } },
    })
    expect(read.supervise).toBe(true)
    expect(read.provider).toEqual({
      name: 'codex',
      args: ['--verbose'],
      permissions: 'ask',
      other: { future: 1 },
    })
  })

  it('takes an empty `egress:` or `git-gate:` as declared, and a missing one as not', async () => {
    expect((await bottle('egress:')).egress).toEqual({ routes: [] })
    expect((await bottle('git-gate:')).gitGate).toEqual({ user: null, repos: {} })
    expect(await bottle('user: root')).toMatchObject({ egress: null, gitGate: null })
  })

  it.each([
    ['512m', 512 * 2 ** 20],
    ['2g', 2 * 2 ** 30],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['16777216', 16_777_216],
    ['"8MB"', 8 * 2 ** 20],
  ])('reads memory %s', async (text, bytes) => {
    expect((await bottle(`resources: { memory: ${text} }`)).resources.memoryBytes).toBe(bytes)
  })

  it('resolves a build context from the folder of the file', async () => {
    expect((await bottle('build: { context: ../images/web, target: dev }')).origin).toEqual({
      build: { context: '/r/images/web', dockerfile: 'Dockerfile', target: 'dev' },
    })
  })

  it.each([
    ['image and build', 'image: a\nbuild: { context: . }', 3, 'exclude each other'],
    ['a Dockerfile outside', 'build: { dockerfile: ../Dockerfile }', 2, 'inside the build context'],
    ['an image that is an option', 'image: --privileged', 2, 'is not an image'],
    ['an unknown backend', 'backend: dcoker', 2, "can't be"],
    ['a user with blanks', 'user: "a b"', 2, "`user` can't be"],
    ['a relative workdir', 'workdir: work', 2, 'absolute path'],
    ['a variable with a bad name', 'env:\n  A-B: x', 3, "can't be the name of a variable"],
    ['a variable without a value', 'env:\n  A:', 3, 'has no value'],
    ['a variable that is a list', 'env:\n  A: [1]', 3, 'must be a text'],
    ['a secret that is also a variable', 'env: { A: x }\nsecrets: [A]', 3, 'both in'],
    ['secrets with values', 'secrets: { A: x }', 2, 'list of names'],
    ['a mount without target', 'mounts: ["/a"]', 2, 'is not a mount'],
    ['a mount with a bad mode', 'mounts: ["/a:/b:rx"]', 2, 'is not a mount'],
    ['a mount over the root', 'mounts: ["/a:/"]', 2, 'Nothing can be mounted at /'],
    ['a mount over the launch folder', 'mounts: ["/a:/run/./icebox"]', 2, 'Nothing can be mounted'],
    ['a mount that climbs', 'mounts: ["/a:/b/../c"]', 2, 'absolute path inside'],
    ['two mounts on one target', 'mounts:\n  - /a:/x\n  - /b:/x/', 4, 'Two mounts'],
    [
      'an external bind',
      'mounts: [{ type: bind, source: /a, target: /b, external: true }]',
      2,
      'belongs to volumes',
    ],
    ['no CPU', 'resources: { cpus: 0 }', 2, "`cpus` can't be"],
    ['too little memory', 'resources: { memory: 1m }', 2, "`memory` can't be"],
    ['memory in words', 'resources: { memory: lots }', 2, "`memory` can't be"],
    ['a sidecar with a bad name', 'sidecars: { My_Car: { image: a } }', 2, 'name of a sidecar'],
    ['a route without host', 'egress: { routes: [{ role: x }] }', 2, 'needs a `host`'],
    [
      'a route with a typo',
      'egress:\n  routes:\n    - host: a\n      matchs: [x]',
      5,
      'unknown key "matchs"',
    ],
    ['a host that is an address', 'egress: { routes: [{ host: "https://a/b" }] }', 2, 'is not a host'],
    ['a parent that leaves the folder', 'extends: ../secret', 2, "can't be the name of a bottle"],
  ])('refuses %s', async (_case, yaml, line, message) => {
    const found = await problems(bottleOf(`---\n${yaml}\n---\n`))
    expect(found).toEqual([expect.objectContaining({ line, message: expect.stringContaining(message) })])
  })

  it('does not repeat what stands where a secret name belongs', async () => {
    const found = await problems(bottleOf('---\nsecrets: ["sk-canary-123"]\n---\n'))
    expect(found).toHaveLength(1)
    expect(JSON.stringify(found)).not.toContain('canary')
  })
})
