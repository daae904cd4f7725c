import { describe, expect, it, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import { ORIGIN, readAgent, v2, v3, validAgent } from './yaml-agent.ts'

const said = async (text: string): Promise<string> =>
  (await readAgent(text)).problems
    .map(({ line, message, hint }) => `${line}: ${message}${hint ? ` ${hint}` : ''}`)
    .join('\n')

describe('versions', () => {
  it('v1: the name is given, the session is new, the terminal is cld-<name>', async () => {
    const agent = await validAgent('apiVersion: cld-agent/v1\nkind: Agent\nmetadata: {name: old}\nspec: {}\n')
    expect(agent).toMatchObject({ name: 'old', provider: 'claude', model: 'sonnet', bottle: null })
    expect(agent.lifecycle).toMatchObject({
      runtime: 'terminal',
      screenName: 'cld-old',
      session: { mode: 'new', maxAgeMinutes: null, resumeId: null },
    })
    expect(agent.ownBottle).toMatchObject({ backend: 'host', env: {}, secrets: [], mounts: [] })
  })

  it('v2: the session goes on where it can', async () => {
    const { lifecycle } = await validAgent(v2('model: opus[1m]'))
    expect(lifecycle).toMatchObject({ screenName: 'worker', session: { mode: 'continue-or-new' } })
  })

  it('v3: the folder names the agent, and nothing else does', async () => {
    expect((await validAgent(v3('model: opus'))).name).toBe('worker')
    expect(await said(v3('model: opus').replace('spec:', 'metadata: {name: x}\nspec:'))).toBe(
      '3: v3 takes the name of the folder and refuses `metadata.name`. Remove it; here the name is "worker".',
    )
    const flat = await readAgent(v3('{}'), { file: '/r/agents/worker.yaml', folderName: 'agents' })
    expect(flat.problems).toMatchObject([
      { line: 1, hint: 'Move it to worker/spec.yaml.', message: expect.stringContaining('"agents"') },
    ])
    const named = { file: '/p/team/x.yaml', folderName: 'team', foundAs: null }
    expect((await validAgent(v3('{}'), named)).name).toBe('team')
  })

  it('v1 and v2 need a name that can be one', async () => {
    expect(await said('apiVersion: cld-agent/v1\nkind: Agent\nspec: {}\n')).toContain(
      '`metadata.name` is missing',
    )
    expect(await said(v2('model: opus', '../etc'))).toContain('"../etc" can\'t be the name of an agent')
  })

  it('an unknown version is one error with a guess, and the rest is still checked', async () => {
    const text = 'apiVersion: scitex-agent-container/v4\nkind: Agnet\nspec:\n  modle: opus\n'
    const { problems } = await readAgent(text)
    expect(problems).toMatchObject([
      { line: 2, message: '`kind` must be Agent.' },
      { line: 1, hint: expect.stringContaining('scitex-agent-container/v') },
      { line: 4, message: '`spec` has an unknown key "modle".', hint: 'Did you mean “model”?' },
    ])
  })
})

/** Every field of the table, none at its default. */
const FULL = `
runtime: claude-session
model: opus[1m]
workdir: ~/proj/site
python-venv: [~/.venv-3.12, .venv]
env: {EDITOR: "\${EDITOR_NAME}", HOME_DIR: ~/data, ODD: "a 'b' \\"c\\" $HOME \${NOBODY}", NUMBER: 1.10}
env-file: [~/.env.agent, local.env]
secrets: [ANTHROPIC_API_KEY]
screen: {name: the-worker}
multiplexer: screen
container:
  runtime: docker
  image: example/agent:2
  volumes: ["~/data:/data:ro", "cache:/cache"]
  network: none
  mount_host_claude: true
claude:
  channels: [server:chat]
  flags: [--dangerously-skip-permissions, --verbose, "--append-system-prompt 'be kind'"]
  session: new
  continue_max_age_minutes: 90
  resume_id: abc-123
  auto_accept: false
session: resume
health: {enabled: true, interval: 15, timeout: 4, method: a2a-card, stuck: 300}
restart:
  policy: on-failure
  max_retries: 5
  window: 600
  backoff: {initial: 1, max: 60, multiplier: 3, jitter: 0}
watchdog: {enabled: true, interval: 2, responses: {y_n: "1", y_y_n: "2", waiting: /speak}}
hooks:
  pre_start: ["make ready", {run: ./check.sh, timeout: 5, required: true}]
  post_stop: https://example.org/hook?key=1
  on_health: [{url: "http://127.0.0.1:9/x", timeout: 2}]
listen: [{port: 8080, name: web, owner: me}, {proto: unix, path: /run/x.sock}]
extensions: {anything: {goes: [1, two, null]}}
telegram: {bot_token_env: TG_TOKEN, allowed_users: [ada], auto_connect: false, greeting: hi}
skills: {required: [review], available: [deploy], injection_mode: block, match_by: [tag], match_style: partial}
context_management:
  trigger_at_percent: 80
  strategy: compact
  warn_before_n_checks: 2
  check_interval_seconds: 60
  freeze_first: false
  state_file: ~/x.json
startup_commands: [{delay: 2, command: not this one}]
startup:
  ready_patterns: ["^> $"]
  ready_idle_ticks: 5
  ready_poll_interval_seconds: 0.25
  ready_timeout_seconds: 30
  on_timeout: capture_and_fail
  commands: [do it, {delay: 1.5, command: then this}]
  answers: [{name: trust, pattern: Trust this, keys: ["1", Enter]}]
mcp_servers:
  hub: {command: hub, args: ["--as", "\${metadata.name}"], env: {ROLE: "\${metadata.labels.role}"}}
auto_freeze: {on_exit: true, idle_minutes: 10, context_percent: 60, every_minutes: 30, before_destroy: true}
autonomous: {enabled: true, drive_until: FINISHED, max_turns: 7, idle_kick_after_s: 30, kick_text: on}
orochi: {enabled: true, hosts: [hub], port: 8559, token_env: OROCHI, channels: [a], heartbeat: 60}
a2a: {host: 127.0.0.1, port: 9000, handler: echo}
cardinality_enforced_at_hub: true
priority_list: [box, other]
x-mine: {kept: [as, it, is]}
`.trim()

test('every field of the table arrives', async () => {
  const agent = await validAgent(
    v3(FULL).replace(
      'spec:',
      'metadata: {labels: {role: lead, description: Builds the site}}\nx-top: 1\nspec:',
    ),
  )
  expect(agent).toMatchObject({
    name: 'worker',
    model: 'opus[1m]',
    description: 'Builds the site',
    copyFrom: '/home/me/proj/site',
    envTemplates: { EDITOR: `\${EDITOR_NAME}` },
    ownBottle: {
      backend: 'docker',
      workdir: '/workspace',
      origin: { image: 'example/agent:2' },
      env: { HOME_DIR: '/home/me/data', ODD: `a 'b' "c" $HOME \${NOBODY}`, NUMBER: '1.10' },
      secrets: ['ANTHROPIC_API_KEY', 'EDITOR'],
      egress: { routes: [] },
      provider: { permissions: 'skip' },
      mounts: [
        { type: 'bind', source: '/home/me/data', target: '/data', readOnly: true },
        { type: 'volume', source: 'cache', target: '/cache' },
        { type: 'bind', source: '/home/me/.claude', target: '/home/agent/.claude', readOnly: true },
      ],
    },
    refusals: [],
  })
  expect(agent.lifecycle).toEqual({
    runtime: 'turns',
    multiplexer: 'screen',
    screenName: 'the-worker',
    labels: { role: 'lead', description: 'Builds the site' },
    session: { mode: 'resume', maxAgeMinutes: 90, resumeId: 'abc-123' },
    args: ['--channels', 'server:chat', '--verbose', '--append-system-prompt', 'be kind'],
    startup: {
      autoAccept: false,
      answers: [{ name: 'trust', pattern: 'Trust this', keys: ['1', 'Enter'] }],
      readyPatterns: ['^> $'],
      readyIdleTicks: 5,
      readyPollSeconds: 0.25,
      readyTimeoutSeconds: 30,
      onTimeout: 'capture_and_fail',
      commands: [
        { text: 'do it', delaySeconds: 0 },
        { text: 'then this', delaySeconds: 1.5 },
      ],
    },
    workspace: {
      claudeMd: null,
      mcpServers: { hub: { command: 'hub', args: ['--as', 'worker'], env: { ROLE: 'lead' } } },
      skillsRequired: ['review'],
      skillsAvailable: ['deploy'],
    },
    envFiles: ['/home/me/.env.agent', '/r/agents/worker/local.env'],
    pythonVenv: ['~/.venv-3.12', '.venv'],
    hooks: {
      ...DEFAULT_LIFECYCLE.hooks,
      pre_start: [
        { kind: 'shell', run: 'make ready', timeoutSeconds: 30, required: false },
        { kind: 'shell', run: './check.sh', timeoutSeconds: 5, required: true },
      ],
      post_stop: [{ kind: 'url', run: 'https://example.org/hook?key=1', timeoutSeconds: 5, required: false }],
      on_health: [{ kind: 'url', run: 'http://127.0.0.1:9/x', timeoutSeconds: 2, required: false }],
    },
    health: { enabled: true, intervalSeconds: 15, timeoutSeconds: 4, stuckSeconds: 300 },
    restart: {
      policy: 'on-failure',
      maxRetries: 5,
      windowSeconds: 600,
      initialSeconds: 1,
      maxSeconds: 60,
      multiplier: 3,
      jitter: 0,
    },
    context: {
      strategy: 'compact',
      triggerPercent: 80,
      warnBeforeChecks: 2,
      checkIntervalSeconds: 60,
      freezeFirst: false,
    },
    autoFreeze: { onExit: true, idleMinutes: 10, contextPercent: 60, everyMinutes: 30, beforeDestroy: true },
    autonomous: { enabled: true, driveUntil: 'FINISHED', maxTurns: 7, idleKickSeconds: 30, kickText: 'on' },
    listen: [
      { port: 8080, proto: 'tcp', path: null, name: 'web', owner: 'me' },
      { port: null, proto: 'unix', path: '/run/x.sock', name: '', owner: '' },
    ],
    extensions: { anything: { goes: [1, 'two', null] } },
    later: {
      skills: { injection_mode: 'block', match_by: ['tag'], match_style: 'partial' },
      'health.method': 'a2a-card',
      'x-top': 1,
      'x-mine': { kept: ['as', 'it', 'is'] },
      orochi: {
        enabled: true,
        hosts: ['hub'],
        port: 8559,
        token_env: 'OROCHI',
        channels: ['a'],
        heartbeat: 60,
      },
      a2a: { host: '127.0.0.1', port: 9000, handler: 'echo' },
      telegram: { bot_token_env: 'TG_TOKEN', allowed_users: ['ada'], auto_connect: false, greeting: 'hi' },
      watchdog: { enabled: true, interval: 2, responses: { y_n: '1', y_y_n: '2', waiting: '/speak' } },
      cardinality_enforced_at_hub: true,
      priority_list: ['box', 'other'],
    },
  })
  const told = agent.notices?.join('\n') ?? ''
  for (const key of ['orochi', 'a2a', 'telegram', 'watchdog', 'priority_list', 'health.method: a2a-card']) {
    expect(told).toContain(`\`${key}\` is kept and shown, but not acted on by this version.`)
  }
})

test('a file that says nothing has the defaults of the table', async () => {
  const { lifecycle, notices } = await validAgent(v3('{}'))
  expect(lifecycle).toEqual({
    ...DEFAULT_LIFECYCLE,
    runtime: 'terminal',
    screenName: 'worker',
    session: { mode: 'continue-or-new', maxAgeMinutes: null, resumeId: null },
  })
  expect(notices).toEqual([])
})

test('all errors come at once, each with its line and what to write', async () => {
  const spec = `runtime: cursor
model: "--help me"
health: {interval: soon}
restart: {policy: sometimes, backoff: {initial: 100, max: 10}}
hooks: {pre_strat: [x], pre_stop: [[nested]]}
listen: [{proto: tcp}, {proto: unix}]
context_management: {strategy: compcat, trigger_at_percent: 140}
startup: {ready_patterns: ["("], ready_poll_interval_seconds: 0.01}
extensions: [no, map]
orochi: {token_env: "sk-secret-value", prot: 1}
mcp_servers: {hub: {args: ["\${metadata.labels.rloe}"]}}
env: {1BAD: x, EMPTY_ONE: }`
  const found = await said(v3(spec).replace('spec:', 'metadata: {labels: {role: lead}}\nspec:'))
  const lines = [
    '5: `runtime` can\'t be "cursor".',
    '6: "--help me" can\'t be the name of a model.',
    '7: `interval` can\'t be "soon". Write a number from 1 to 86400.',
    '8: `policy` can\'t be "sometimes". Known: never, on-failure, always.',
    '8: The first wait (100 s) is longer than the longest (10 s).',
    '9: `hooks` has an unknown key "pre_strat". Did you mean “pre_start”?',
    '9: An entry of `pre_stop` must be a shell line',
    '10: An item of `listen` with tcp needs a `port`.',
    '10: A unix socket needs a `path`.',
    '11: `strategy` can\'t be "compcat". Did you mean “compact”?',
    '11: `trigger_at_percent` can\'t be "140".',
    '12: "(" is not a regular expression.',
    '12: `ready_poll_interval_seconds` can\'t be "0.01".',
    '13: `extensions` must be a map of keys.',
    '14: `token_env` must be the name of a variable, never a value.',
    '14: `orochi` has an unknown key "prot". Did you mean “port”?',
    `15: "\${metadata.labels.rloe}" stands for nothing. Did you mean “labels.role”?`,
    '15: The server "hub" has neither `command` nor `url`.',
    '16: "1BAD" can\'t be the name of a variable.',
    '16: `EMPTY_ONE` has no value.',
  ]
  for (const line of lines) expect(found).toContain(line)
  expect(found).not.toContain('sk-secret-value')
})

describe('what this version can not run is valid, and refused before anything happens', () => {
  it.each([
    [
      'runtime: slurm\nslurm: {partition: gpu, nodes: 2, hooks: {attach: x}}',
      '`runtime: slurm` is not supported',
    ],
    ['runtime: slurm-tenant\nslurm: {reservation: r}', '`runtime: slurm-tenant` is not supported'],
    ['remote: node7', '`remote` names node7'],
    ['remote: [jump, node8]', '`remote` names node8'],
    ['remote: {host: node9, user: me, port: 22, login_shell: false}', '`remote` names node9'],
    ['container: {runtime: apptainer, image: ~/a.sif}', '`container.runtime: apptainer` is not supported'],
    ['host: elsewhere', 'worker runs on elsewhere, and this machine is box'],
    ['hosts: [a, b]', 'worker runs on a, b'],
    ['workdir: "~"', 'too much to begin a bottle with'],
  ])('%s', async (spec, refusal) => {
    const agent = await validAgent(v3(spec))
    expect(agent.refusals?.join('\n')).toContain(refusal)
  })

  it.each(['remote: ""', 'remote: []', 'remote: {user: me}', 'remote: {host: "", port: 0}'])(
    'a remote without a host is an error: %s',
    async (spec) => {
      expect((await readAgent(v3(spec))).problems.length).toBeGreaterThan(0)
    },
  )
})

describe('YAML as other programs write it', () => {
  it('takes anchors, aliases and merge keys, and ends a bomb of them', async () => {
    const text = v3('env: &base {A: one, B: two}\nextensions:\n  more: {<<: *base, B: own}')
    expect((await validAgent(text)).lifecycle.extensions).toEqual({ more: { B: 'own', A: 'one' } })
    const levels = Array.from({ length: 12 }, (_, at) =>
      at === 0
        ? 'l0: &l0 [x, x, x, x, x, x, x, x, x]'
        : `l${at}: &l${at} [${Array(9)
            .fill(`*l${at - 1}`)
            .join(', ')}]`,
    )
    const bomb = await readAgent(v3(`extensions:\n  ${levels.join('\n  ')}`))
    expect(bomb.problems).toMatchObject([{ message: 'The file holds too many values.' }])
    const circle = await readAgent(v3('extensions: &me {again: *me}'))
    expect(circle.problems.length).toBeGreaterThan(0)
  })

  it('yes and off are booleans where one is wanted, and texts elsewhere', async () => {
    const agent = await validAgent(
      v3('health: {enabled: yes}\nenv: {A: yes, B: "off"}\nextensions: {c: Off, d: "no", e: yES}'),
    )
    expect(agent.lifecycle.health.enabled).toBe(true)
    expect(agent.ownBottle?.env).toEqual({ A: 'yes', B: 'off' })
    expect(agent.lifecycle.extensions).toEqual({ c: false, d: 'no', e: 'yES' })
    expect(await said(v3('health: {enabled: "yes"}'))).toContain('`enabled` must be true or false.')
  })

  it('v2 `venv`, and `python-venv` where it belongs', async () => {
    expect((await validAgent(v2('venv: auto'))).lifecycle.pythonVenv).toEqual(['auto'])
    expect(await said(v3('venv: auto'))).toContain('`venv` is called `python-venv` in v3.')
    expect(await said(v2('venv: a\npython-venv: b'))).toContain('are the same')
  })

  it('the origin is this user’s home, never a shell’s idea of it', async () => {
    expect(ORIGIN.homeDir).toBe('/home/me')
    expect((await validAgent(v3('env: {A: "~", B: "~x", C: "a~/b"}'))).ownBottle?.env).toEqual({
      A: '/home/me',
      B: '~x',
      C: 'a~/b',
    })
  })
})
