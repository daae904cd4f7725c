import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import { afterLaunch, afterResume } from '../../../../src-main/bottles/hooks/launch-hooks.ts'
import type { PreparedRun } from '../../../../src-main/bottles/prepare-run.ts'
import { type OneEngine, oneEngine } from '../../../support/one-engine.ts'
import { tempFolder } from '../../../support/test-root.ts'

const entry = (run: string) => ({ kind: 'shell', run, timeoutSeconds: 20, required: false }) as const
const RUN = { slug: 'web', runId: 'run1', snapshot: null }

/** A state root on which no supervisor can be started, which is told at once. */
async function scene(): Promise<OneEngine> {
  const world = await oneEngine()
  await world.bottle()
  await mkdir(world.deps.root.path('icebox', 'supervise.log'), { recursive: true })
  return world
}

const prepared = (lifecycle: Partial<Lifecycle>): PreparedRun =>
  ({
    resolved: {
      agent: { name: 'web', file: '/d/web.md', lifecycle: { ...DEFAULT_LIFECYCLE, ...lifecycle } },
    },
    secretValues: {},
    request: { forgeEnv: {} },
    backend: { name: 'docker' },
  }) as unknown as PreparedRun

test('somebody looks after an agent before its hooks are waited for', async () => {
  const world = await scene()
  const ran = join(await tempFolder(), 'ran')
  const hooks = { ...DEFAULT_LIFECYCLE.hooks, post_start: [entry(`touch ${ran}`)] }
  const told: string[] = []
  const notice = (text: string) => {
    told.push(`${text} (hook: ${existsSync(ran)})`)
  }
  const run = { ...RUN, label: '', cause: 'start' } as const
  await afterLaunch(world.deps, prepared({ runtime: 'terminal', hooks }), run, { ...world.context, notice })
  expect(told).toEqual([expect.stringMatching(/Nobody looks after web: .*\(hook: false\)/s)])
  expect(existsSync(ran)).toBe(true)
})

test('also after a resume without hooks', async () => {
  const world = await scene()
  const told: string[] = []
  const context = { ...world.context, notice: (text: string) => void told.push(text) }
  await afterResume(world.deps, prepared({ runtime: 'terminal' }), RUN, context)
  expect(told).toEqual([expect.stringContaining('Nobody looks after web')])
})
