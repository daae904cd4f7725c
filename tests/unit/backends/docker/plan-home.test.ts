import { expect, it } from 'vitest'
import type { LaunchPlan } from '../../../../src-main/backends/backend.ts'
import type { UnitPlan } from '../../../../src-main/backends/docker/container-config.ts'
import { planHome } from '../../../../src-main/backends/docker/deliver-files.ts'

const files = { '.agent/skill': 'x' }
const bind = { type: 'bind', source: '/a', target: '/b', readOnly: false, external: false }

interface Case {
  readonly user?: string | null
  readonly imageUser?: string
  readonly homeFiles?: Record<string, string>
  readonly homeKey?: string | null
  readonly others?: readonly object[]
  readonly hasShell?: boolean
}

function plan({ user = null, imageUser = '', homeFiles = files, others = [], ...more }: Case) {
  const image =
    more.homeKey === undefined
      ? { kind: 'image' }
      : { kind: 'snapshot', snapshot: { facts: { homeKey: more.homeKey } } }
  const launch = { homeFiles, env: {}, image } as unknown as LaunchPlan
  const unit = { user, others, image: { user: imageUser, home: null } } as unknown as UnitPlan
  return planHome(launch, unit, more.hasShell ?? true)
}

it.each(['', '0', 'root', '0:5', 'root:wheel'])('lets root (%j) write its home by itself', (imageUser) => {
  expect(plan({ imageUser }).isByScript).toBe(true)
})

it('lets a user write by itself only what an earlier launch made for that user', () => {
  const first = plan({ user: 'user' })
  expect(first.isByScript).toBe(false)
  expect(plan({ user: 'user', homeKey: first.key }).isByScript).toBe(true)
  expect(plan({ user: 'other', homeKey: first.key }).isByScript).toBe(false)
  expect(plan({ user: 'user', homeKey: null }).isByScript).toBe(false)
  const elsewhere = { '.agent/skill': 'x', '.claude/CLAUDE.md': 'y' }
  expect(plan({ user: 'user', homeKey: first.key, homeFiles: elsewhere }).isByScript).toBe(false)
  const top = plan({ user: 'user', homeFiles: { file: 'x' } })
  expect(plan({ user: 'user', homeFiles: { file: 'x' }, homeKey: top.key }).isByScript).toBe(false)
})

it('never writes from inside through a mount of this machine, nor without a shell', () => {
  expect(plan({ others: [bind] }).isByScript).toBe(false)
  expect(plan({ others: [{ ...bind, type: 'volume' }] }).isByScript).toBe(true)
  expect(plan({ hasShell: false }).isByScript).toBe(false)
  expect(plan({ homeFiles: {} })).toEqual({ isByScript: false, key: null })
})
