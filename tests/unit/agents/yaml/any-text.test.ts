import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { HOOK_POINTS } from '../../../../src-main/agents/parse-hooks.ts'
import { splitWords } from '../../../../src-main/agents/parse-session.ts'
import { fillFromEnv, splitEnv } from '../../../../src-main/agents/yaml/env-templates.ts'
import { hostIdentity, isThisHost } from '../../../../src-main/agents/yaml/host-identity.ts'
import { readAgent, v3, validAgent } from './yaml-agent.ts'

const KEYS = [
  'runtime',
  'env',
  'hooks',
  'startup',
  'claude',
  'hosts',
  'container',
  'restart',
  'listen',
  'remote',
]
const yamlish = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'apiVersion: scitex-agent-container/v3\n',
        'kind: Agent\n',
        'spec:\n',
        '  ',
        '- ',
        '[',
        '{',
        '}',
      ),
      fc.constantFrom(...KEYS).map((key) => `  ${key}: `),
      fc.constantFrom(
        '&a ',
        '*a',
        '<<: *a\n',
        '!!binary ',
        '? ',
        '|\n',
        '"',
        "'",
        '\n',
        '\0',
        '\t',
        '---\n',
        `\${X}`,
      ),
      fc.string({ maxLength: 12 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''))

/** A text that YAML can hold. */
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.includes('\0'))
const line = text.filter((value) => value.trim() !== '' && !value.includes(`\${`))
const seconds = fc.integer({ min: 1, max: 86_400 })

const spec = fc.record(
  {
    model: fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/),
    env: fc.dictionary(
      fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,10}$/),
      line.filter((value) => !value.startsWith('~')),
    ),
    hooks: fc.dictionary(
      fc.constantFrom(...HOOK_POINTS),
      fc.array(fc.record({ run: line, timeout: seconds.map((n) => (n % 3600) + 1) }), { maxLength: 3 }),
    ),
    startup: fc.record({
      commands: fc.array(fc.record({ command: line, delay: seconds.map((n) => n % 3600) })),
    }),
    restart: fc.record({
      policy: fc.constantFrom('never', 'on-failure', 'always'),
      max_retries: fc.nat(1000),
    }),
    context_management: fc.record({
      strategy: fc.constantFrom('noop', 'warn', 'compact', 'freeze', 'restart'),
    }),
    autonomous: fc.record({ enabled: fc.boolean(), kick_text: line }),
    // Not with the key that merges a map into another, at any depth.
    extensions: fc
      .dictionary(line, fc.jsonValue({ maxDepth: 2 }))
      .filter((extensions) => !JSON.stringify(extensions).includes('"<<":')),
  },
  { requiredKeys: [] },
)

describe('agent YAML', () => {
  it('never throws and never hangs, whatever the text; every problem has a line of the file', async () => {
    await fc.assert(
      fc.asyncProperty(yamlish, async (anyText) => {
        const { problems } = await readAgent(anyText)
        const lines = anyText.split('\n').length
        for (const problem of problems) {
          expect(problem.line).toBeGreaterThanOrEqual(1)
          expect(problem.line).toBeLessThanOrEqual(lines + 1)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('a valid definition arrives as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(spec, async (given) => {
        const agent = await validAgent(
          stringify(
            { apiVersion: 'scitex-agent-container/v3', kind: 'Agent', spec: given },
            { compat: 'yaml-1.1' },
          ),
        )
        const { lifecycle } = agent
        expect(agent.model).toBe(given.model ?? 'sonnet')
        expect(agent.ownBottle?.env).toEqual(given.env ?? {})
        for (const point of HOOK_POINTS) {
          const entries = given.hooks?.[point] ?? []
          expect(
            lifecycle.hooks[point].map(({ run, timeoutSeconds }) => ({ run, timeout: timeoutSeconds })),
          ).toEqual(entries.map(({ run, timeout }) => ({ run: run.trim(), timeout })))
        }
        const typed = lifecycle.startup.commands.map((entry) => ({
          command: entry.text,
          delay: entry.delaySeconds,
        }))
        expect(typed).toEqual(given.startup?.commands ?? [])
        expect(lifecycle.restart).toMatchObject({
          policy: given.restart?.policy ?? 'never',
          maxRetries: given.restart?.max_retries ?? 3,
        })
        expect(lifecycle.context.strategy).toBe(given.context_management?.strategy ?? 'noop')
        expect(lifecycle.autonomous).toMatchObject({
          enabled: given.autonomous?.enabled ?? false,
          kickText: given.autonomous?.kick_text ?? 'Go on.',
        })
        // As JSON: neither has a place for a negative zero.
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
        expect(plain(lifecycle.extensions)).toEqual(plain(given.extensions ?? {}))
      }),
      { numRuns: 150 },
    )
  })

  it('an unknown key is an error wherever it stands, unless it begins with x-', async () => {
    const places = [
      'claude',
      'container',
      'health',
      'restart',
      'startup',
      'hooks',
      'autonomous',
      'auto_freeze',
      'orochi',
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.stringMatching(/^[a-z]{3,12}$/),
        async (place, word) => {
          const bad = await readAgent(v3(`${place}: {zz${word}: 1}`))
          expect(bad.problems.map(({ message }) => message).join()).toContain(`unknown key "zz${word}"`)
          expect((await readAgent(v3(`${place}: {x-${word}: 1}`))).problems).toEqual([])
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('values', () => {
  it('without a variable that is set, a value stays exactly as it is', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(fillFromEnv(value, {})).toBe(value)
        const { plain, templates } = splitEnv({ A: value }, {}, '/home/me')
        expect(templates).toEqual({})
        if (!value.startsWith('~')) expect(plain).toEqual({ A: value })
      }),
    )
  })

  it('what is filled in is never looked at again', () => {
    const env = { A: `\${B}`, B: 'secret', toString: 'x' }
    expect(fillFromEnv(`<\${A}> \${B} \${NOBODY} $B \${constructor}`, env)).toBe(
      `<\${B}> secret \${NOBODY} $B \${constructor}`,
    )
    expect(splitEnv({ T: `\${B}`, U: `\${NOBODY}` }, env, '/h')).toEqual({
      plain: { U: `\${NOBODY}` },
      templates: { T: `\${B}` },
    })
  })

  it('words of a flag are taken apart without a shell', () => {
    expect(splitWords(`--say 'a $HOME "b"' "c \\"d\\" $(id)" e\\ f ''`)).toEqual([
      '--say',
      'a $HOME "b"',
      'c "d" $(id)',
      'e f',
      '',
    ])
    expect(splitWords("--open 'quote")).toBeNull()
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (words) => {
        const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
        expect(splitWords(line)).toEqual(words)
      }),
    )
  })

  it('an empty name is never this machine', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (hostname, aliases) => {
        const host = hostIdentity({ hostname, override: undefined, aliasOf: {}, aliases })
        expect(isThisHost('', host)).toBe(false)
        expect(isThisHost('  ', host)).toBe(false)
        expect(isThisHost('LOCALHOST', host)).toBe(true)
      }),
    )
  })
})
