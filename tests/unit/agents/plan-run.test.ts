import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillTemplate } from '../../../src-main/agents/custom-command.ts'
import type { AgentDefinition, BottleDefinition } from '../../../src-main/agents/definitions.ts'
import { DEFAULT_LIFECYCLE } from '../../../src-main/agents/lifecycle.ts'
import { type PlanInput, planRun } from '../../../src-main/agents/plan-run.ts'

const AGENT: AgentDefinition = {
  name: 'web',
  source: 'home',
  file: '/r/agents/web.md',
  bottle: 'web',
  skills: [],
  provider: 'custom',
  isProviderGiven: true,
  command: {
    headless: ['agent', '--task={prompt}', '{prompt}', '{workdir}'],
    interactive: ['agent'],
    resume: ['agent', '-r', '{session}', '{prompt}'],
  },
  systemPrompt: '',
  displayName: null,
  description: '',
  model: null,
  color: '',
  memory: null,
  gitGateUser: null,
  lifecycle: DEFAULT_LIFECYCLE,
  health: null,
  lines: { bottle: 1, skills: 1, command: 1 },
}

const BOTTLE: BottleDefinition = {
  name: 'web',
  file: '/r/bottles/web.md',
  extends: [],
  image: 'a:1',
  build: null,
  backend: null,
  user: null,
  workdir: '/work',
  env: { PLAIN: '1' },
  secrets: ['TOKEN'],
  mounts: [{ type: 'volume', source: 'v', target: '/v', readOnly: false, external: false }],
  resources: { cpus: 2, memoryBytes: null },
  sidecars: {},
  egress: null,
  gitGate: null,
  supervise: null,
  provider: null,
  health: null,
}

interface Change extends Partial<Omit<PlanInput, 'resolved'>> {
  readonly agent?: Partial<AgentDefinition>
  readonly bottle?: Partial<BottleDefinition>
  readonly skillFiles?: Readonly<Record<string, string>>
}

function plan({ agent, bottle, skillFiles, ...rest }: Change = {}) {
  return planRun({
    resolved: {
      agent: { ...AGENT, ...agent },
      bottle: { ...BOTTLE, ...bottle },
      bottleNames: ['web'],
      notices: [],
      skillFiles: skillFiles ?? {},
      rootDir: '/r',
    },
    mode: 'headless',
    prompt: 'do it',
    backend: 'docker',
    resuming: false,
    unenforcedEgress: false,
    secretNames: [],
    cwd: null,
    ...rest,
  })
}

const claude = { provider: 'claude', command: null } as const
const codex = { provider: 'codex', command: null } as const
const pi = { provider: 'pi', command: null } as const

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'no error'
}

describe('the command', () => {
  it.each([
    ['claude', claude, {}, ['claude', '-p', '--dangerously-skip-permissions', '--', 'do it']],
    ['claude on the host', claude, { backend: 'host' }, ['claude', '-p', '--', 'do it']],
    [
      'claude with an id',
      claude,
      { sessionId: 'u-1', backend: 'host' },
      ['claude', '-p', '--session-id', 'u-1', '--', 'do it'],
    ],
    [
      'claude resumed',
      claude,
      { resuming: true, backend: 'host' },
      ['claude', '-p', '--continue', '--', 'do it'],
    ],
    [
      'claude resumed by id',
      claude,
      { resuming: true, sessionId: 'u-1', backend: 'host' },
      ['claude', '-p', '--resume', 'u-1', '--', 'do it'],
    ],
    [
      'claude resumed anew',
      claude,
      { resuming: true, freshSession: true, backend: 'host' },
      ['claude', '-p', '--', 'do it'],
    ],
    ['claude at a terminal', claude, { mode: 'interactive', prompt: null, backend: 'host' }, ['claude']],
    [
      'claude at a terminal, with a prompt',
      claude,
      { mode: 'interactive', backend: 'host' },
      ['claude', '--', 'do it'],
    ],
    [
      'codex',
      codex,
      {},
      ['codex', 'exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '--', 'do it'],
    ],
    [
      'codex on the host',
      codex,
      { backend: 'host' },
      ['codex', 'exec', '--skip-git-repo-check', '--sandbox', 'workspace-write', '--', 'do it'],
    ],
    [
      'codex resumed',
      codex,
      { resuming: true, backend: 'host' },
      [
        'codex',
        'exec',
        '--skip-git-repo-check',
        '--sandbox',
        'workspace-write',
        'resume',
        '--last',
        '--',
        'do it',
      ],
    ],
    [
      'codex at a terminal, resumed',
      codex,
      { mode: 'interactive', prompt: null, resuming: true, backend: 'host' },
      ['codex', '--sandbox', 'workspace-write', 'resume', '--last'],
    ],
    ['pi', pi, {}, ['pi', '-p', '--', 'do it']],
    [
      'pi resumed by id',
      pi,
      { resuming: true, sessionId: 'u-1' },
      ['pi', '-p', '--session', 'u-1', '--', 'do it'],
    ],
    ['custom', {}, {}, ['agent', '--task=do it', 'do it', '/work']],
    ['custom at a terminal', {}, { mode: 'interactive', prompt: null }, ['agent']],
    ['custom resumed', {}, { resuming: true, sessionId: 's' }, ['agent', '-r', 's', 'do it']],
    [
      'custom resumed without a known session',
      {},
      { resuming: true },
      ['agent', '--task=do it', 'do it', '/work'],
    ],
    [
      'custom on the host',
      {},
      { backend: 'host', stateDirHint: '/r/state/web-1' },
      ['agent', '--task=do it', 'do it', '/r/state/web-1/live/workspace'],
    ],
    ['custom without a command', { command: null }, {}, null],
  ] as const)('of %s', (_case, agent, rest, argv) => {
    expect(plan({ agent, ...rest }).argv).toEqual(argv)
  })

  it('passes model, system prompt and the bottle’s own arguments', () => {
    const agent = { ...claude, model: 'opus', systemPrompt: 'Be careful.' }
    const provider = { name: null, args: ['--verbose'], permissions: 'ask', other: {} } as const
    expect(plan({ agent, bottle: { provider } }).argv).toEqual([
      'claude',
      '-p',
      '--model',
      'opus',
      '--append-system-prompt',
      'Be careful.',
      '--verbose',
      '--',
      'do it',
    ])
    expect(plan({ agent: { ...claude, model: 'inherit' }, backend: 'host' }).argv).not.toContain('--model')
  })

  it.each([claude, codex, pi])(
    'keeps a prompt that looks like an option behind `--` for $provider',
    (agent) => {
      fc.assert(
        fc.property(fc.string({ minLength: 1 }), fc.constantFrom('-', '--', '@', ''), (text, front) => {
          const prompt = `${front}${text}x`
          const argv = plan({ agent, prompt: prompt.replaceAll('\0', '') }).argv ?? []
          expect(argv.indexOf('--')).toBe(argv.length - 2)
          expect(argv.at(-1)?.trim()).toBe(prompt.replaceAll('\0', '').trim())
        }),
      )
      expect(plan({ agent: codex, prompt: '-' }).argv?.at(-1)).toBe('-\n')
      expect(plan({ agent: pi, prompt: '@/etc/passwd' }).argv?.at(-1)).toBe(' @/etc/passwd')
    },
  )

  it('keeps one argument per element and fills in once, whatever the values hold', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('{session}', '$&', "'; rm", '$1', '{prompt}'),
    )
    const template = fc.array(
      fc.oneof(fc.string(), fc.constantFrom('{prompt}', 'a={prompt}', '{session}{workdir}')),
    )
    fc.assert(
      fc.property(template, value, value, value, (list, prompt, session, workdir) => {
        const filled = fillTemplate(list, { prompt, session, workdir })
        expect(filled).toHaveLength(list.length)
        for (const [index, element] of list.entries()) {
          if (element === '{prompt}') expect(filled[index]).toBe(prompt)
          if (element === 'a={prompt}') expect(filled[index]).toBe(`a=${prompt}`)
          if (element === '{session}{workdir}') expect(filled[index]).toBe(session + workdir)
        }
      }),
    )
  })

  it.each([
    ['an empty prompt', { prompt: '' }, 'usage'],
    ['a blank prompt', { prompt: ' \n' }, 'usage'],
    ['no prompt', { prompt: null }, 'usage'],
    ['no prompt for claude', { prompt: null, agent: claude }, 'usage'],
    ['a NUL character', { prompt: 'a\0b' }, 'usage'],
    ['a prompt of 121 kB', { prompt: 'é'.repeat(60_500) }, 'usage'],
    [
      'a prompt that a template doubles',
      {
        prompt: 'x'.repeat(70_000),
        agent: { command: { headless: ['a', '{prompt}{prompt}'], interactive: null, resume: null } },
      },
      'usage',
    ],
    ['a session id that is an option', { agent: claude, resuming: true, sessionId: '--help' }, 'usage'],
    [
      'no list for the mode',
      { agent: { command: { headless: null, interactive: ['a'], resume: null } } },
      'manifest-invalid',
    ],
    ['a custom agent without image', { bottle: { image: null } }, 'manifest-invalid'],
  ] as const)('refuses %s', (_case, change, code) => {
    expect(codeOf(() => plan(change))).toBe(code)
  })

  it('tells when the prompt has no place, or may become an option', () => {
    const command = { headless: ['a', '{prompt}'], interactive: ['a'], resume: null }
    expect(plan({ agent: { command }, prompt: '-x' }).notices.join()).toContain('begins with “-”')
    const guarded = { ...command, headless: ['/bin/sh', '-c', 'echo "$1"', 'name', '{prompt}'] }
    expect(plan({ agent: { command: guarded }, prompt: '-x' }).notices).toEqual([])
    expect(plan({ agent: { command: null } }).notices.join()).toContain('takes no prompt')
    expect(plan({ agent: { command }, mode: 'interactive' }).notices.join()).toContain('has no {prompt}')
  })
})

describe('the plan', () => {
  it('takes the bottle’s image, its build, or the provider’s own', () => {
    expect(plan().image).toEqual({ kind: 'image', reference: 'a:1' })
    const build = { context: '/c', dockerfile: 'D', target: null }
    expect(plan({ agent: claude, bottle: { image: null, build } })).toMatchObject({
      image: { kind: 'build', ...build },
    })
    expect(plan({ agent: claude, bottle: { image: null, build } }).providerImage).toBeUndefined()
    expect(plan({ agent: pi, bottle: { image: null } })).toMatchObject({
      image: { kind: 'build', context: '/r/icebox/images/pi', dockerfile: 'Dockerfile', target: null },
      providerImage: 'pi',
    })
    expect(plan({ bottle: { image: null }, resuming: true }).image).toEqual({ kind: 'none' })
  })

  it('ignores on the host what belongs to containers, and says what', () => {
    const sidecars = { forge: { image: 'f', command: null, env: {}, secrets: ['F'] } }
    const host = plan({ backend: 'host', bottle: { sidecars, user: 'u' } })
    expect(host).toMatchObject({
      image: { kind: 'none' },
      mounts: [],
      sidecars: [],
      user: null,
      workdir: null,
      forgeSidecar: false,
      resources: { cpus: null, memoryBytes: null },
    })
    expect(host.notices.join()).toContain(
      'ignored on this machine: image, user, workdir, mounts, resources, sidecars',
    )
    expect(plan({ bottle: { sidecars } })).toMatchObject({
      forgeSidecar: true,
      sidecars: [{ name: 'forge', image: 'f', secretNames: ['F'] }],
    })
  })

  it('goes on without volumes on an engine that has none; what others share stays a mount', () => {
    const shared = { type: 'volume', source: 's', target: '/s', readOnly: false, external: true } as const
    const bottle = { mounts: [...BOTTLE.mounts, shared] }
    for (const backend of ['macos-container', 'smolmachines'] as const) {
      const resumed = plan({ backend, bottle, resuming: true })
      expect(resumed.mounts).toEqual([shared])
      expect(resumed.notices).toContain('Volumes are plain folders there: /v.')
      expect(plan({ backend, bottle }).mounts).toHaveLength(2)
    }
    expect(plan({ bottle, resuming: true }).mounts).toHaveLength(2)
  })

  it.each([{ egress: { routes: [] } }, { gitGate: { user: null, repos: {} } }])(
    'gives no network to a declared policy: %j',
    (bottle) => {
      expect(plan({ bottle })).toMatchObject({ network: 'none' })
      expect(plan({ bottle }).notices.join()).toContain('NO network')
      expect(plan({ bottle, unenforcedEgress: true })).toMatchObject({ network: 'unenforced' })
      expect(plan({ bottle, unenforcedEgress: true }).notices.join()).toContain('WHOLE network')
    },
  )

  it('gives the plain network without a policy, also when unenforced is asked for', () => {
    expect(plan()).toMatchObject({ network: 'default', notices: [] })
    expect(plan({ unenforcedEgress: true })).toMatchObject({ network: 'default', notices: [] })
  })

  it('unites secrets and leaves their names out of the plain environment', () => {
    const planned = plan({ secretNames: ['PLAIN', 'TOKEN'] })
    expect(planned.secretNames).toEqual(['TOKEN', 'PLAIN'])
    expect(planned.env).toEqual({})
  })

  it('sets git’s identity, the agent’s over the bottle’s, below the plain environment', () => {
    const gitGate = { user: { name: 'Bot', email: 'bot@x' }, repos: {} }
    const env = { GIT_AUTHOR_EMAIL: 'mine@x' }
    expect(
      plan({ bottle: { gitGate, env }, agent: { gitGateUser: { name: 'Ada', email: null } } }).env,
    ).toEqual({
      GIT_AUTHOR_NAME: 'Ada',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'mine@x',
      GIT_COMMITTER_EMAIL: 'bot@x',
    })
  })

  it('puts skills and system prompt where each provider looks', () => {
    const skillFiles = { 'review/SKILL.md': 'r' }
    const files = (agent: Partial<AgentDefinition>) =>
      Object.keys(plan({ agent: { ...agent, systemPrompt: 's' }, skillFiles }).homeFiles)
    expect(files(claude)).toEqual(['.claude/skills/review/SKILL.md'])
    expect(files(codex)).toEqual(['.codex/skills/review/SKILL.md', '.codex/AGENTS.md'])
    expect(files(pi)).toEqual(['.pi/agent/skills/review/SKILL.md'])
    expect(files({})).toEqual(['.agents/skills/review/SKILL.md', '.icebox/system-prompt.md'])
  })

  it('says when nothing signs the agent in', () => {
    expect(plan({ agent: claude }).notices.join()).toContain('gets none of ANTHROPIC_API_KEY')
    expect(plan({ agent: claude, secretNames: ['ANTHROPIC_API_KEY'] }).notices.join()).not.toContain(
      'gets none',
    )
  })
})
