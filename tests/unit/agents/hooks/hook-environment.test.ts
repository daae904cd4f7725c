import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  chainOf,
  hookEnvironment,
  hookFolder,
  isNested,
  outsideHooks,
  variableText,
} from '../../../../src-main/agents/hooks/hook-environment.ts'
import type { HookAgent } from '../../../../src-main/agents/hooks/types.ts'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'

const agent: HookAgent = {
  slug: 'web-1',
  runId: null,
  lifecycle: DEFAULT_LIFECYCLE,
  configPath: '/d/web.yaml',
  screenName: '',
  env: { SCITEX_HOOK: 'mine', PATH: '/mine' },
  secrets: [],
  agentName: 'web',
  label: 'Web',
}
const event = {
  point: 'on_diff',
  context: {},
  home: '/h',
  stateDir: '/h/state/web-1',
  token: 't',
  isTrial: false,
} as const

test('what Icebox says wins over a label, and a hook has a PATH whatever the caller has', () => {
  expect(hookEnvironment({}, agent, event)).toMatchObject({
    SCITEX_HOOK: 'on_diff',
    PATH: '/mine',
    ICEBOX_RUN: '',
  })
  expect(hookEnvironment({ PATH: '/user' }, agent, event).PATH).toBe('/user')
  expect(hookEnvironment({}, { ...agent, env: {} }, event).PATH).toBe('/usr/local/bin:/usr/bin:/bin')
})

test('no other variable of the caller gets through, whatever its name', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Z_]{1,20}$/), fc.constant('canary')), (base) => {
      const passed = Object.entries(hookEnvironment(base, agent, event)).filter(
        ([, value]) => value === 'canary',
      )
      for (const [name] of passed)
        expect(name).toMatch(
          /^(LC_|XDG_|PATH$|HOME$|USER$|LOGNAME$|SHELL$|TMPDIR$|TZ$|LANG|DOCKER_|SSH_AUTH_SOCK$|DBUS_SESSION_BUS_ADDRESS$|DISPLAY$|WAYLAND_DISPLAY$)/,
        )
    }),
  )
})

test('every context is something that a process can be given, under both names', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (context) => {
      const env = hookEnvironment({}, agent, { ...event, context: context as Record<string, never> })
      for (const [name, value] of Object.entries(env)) {
        expect(name).toMatch(/^[A-Z0-9_]+$/)
        expect(value).not.toContain('\0')
      }
    }),
  )
  expect([null, true, 1.5, 'a', [1], { a: null }].map(variableText)).toEqual([
    '',
    'true',
    '1.5',
    'a',
    '[1]',
    '{"a":null}',
  ])
})

test('a process knows the hooks that called for it, and one that outlives them does not', () => {
  const first = hookEnvironment({}, agent, { ...event, point: 'pre_stop' })
  const second = hookEnvironment(first, agent, { ...event, point: 'pre_freeze' })
  expect(chainOf(second)).toEqual(['web-1:pre_stop', 'web-1:pre_freeze'])
  expect(isNested(second, 'web-1', 'pre_stop')).toBe(true)
  expect(isNested(second, 'web-10', 'pre_stop')).toBe(false)
  const outside = outsideHooks({ ...second, HOME: '/root' })
  expect(chainOf(outside)).toEqual([])
  expect(Object.keys(outside).filter((name) => name.includes('HOOK'))).toEqual([])
  expect(outside).toMatchObject({ HOME: '/root', ICEBOX_HOME: '/h' })
})

test('hooks run beside their definition, else in the bottle’s own folder', () => {
  expect(hookFolder('/d/web.yaml', '/s')).toBe('/d')
  expect(hookFolder('', '/s')).toBe('/s')
})
