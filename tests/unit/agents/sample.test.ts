import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  openManifestIndex,
  resolveAgent,
  validateManifests,
} from '../../../src-main/agents/manifest-index.ts'
import { planRun } from '../../../src-main/agents/plan-run.ts'
import { ensureSample } from '../../../src-main/agents/sample.ts'
import { manifestFolder } from './manifest-folder.ts'

async function samplePlan(prompt: string) {
  const dir = await manifestFolder()
  await ensureSample({ dir })
  const resolved = await resolveAgent(await openManifestIndex({ dir }, null), 'sample', [])
  return planRun({
    resolved,
    mode: 'headless',
    prompt,
    backend: 'host',
    resuming: false,
    unenforcedEgress: false,
    secretNames: [],
    cwd: null,
  })
}

describe('the sample', () => {
  it('is valid and runs on this machine with nothing ignored', async () => {
    const dir = await manifestFolder()
    expect(await ensureSample({ dir })).toEqual({ agent: 'sample' })
    const index = await openManifestIndex({ dir }, null)
    expect(await validateManifests(index)).toEqual([])
    expect((await resolveAgent(index, 'sample', [])).bottle.backend).toBe('host')
    expect((await samplePlan('hi')).notices).toEqual([])
  })

  it('leaves a changed file as it is', async () => {
    const dir = await manifestFolder({ 'agents/sample.md': 'mine' })
    await ensureSample({ dir })
    expect(await readFile(join(dir, 'agents/sample.md'), 'utf8')).toBe('mine')
    expect(await readFile(join(dir, 'bottles/sample.md'), 'utf8')).toContain('backend: host')
  })

  it('counts its runs, keeps notes and goes on from its step', async () => {
    const work = await mkdtemp(join(tmpdir(), 'icebox-sample-'))
    onTestFinished(() => rm(work, { recursive: true, force: true }))
    const run = async (prompt: string, steps: string): Promise<string> => {
      const { argv, env } = await samplePlan(prompt)
      const [program = '', ...args] = argv ?? []
      return execFileSync(program, args, {
        cwd: work,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...env, PATH: process.env.PATH, SAMPLE_STEPS: steps, SAMPLE_PAUSE: '0' },
      })
    }
    expect(await run(`-n it's "$HOME"`, '2')).toContain('This is run 1')
    const second = await run('again', '4')
    expect(second).toContain(
      'Welcome back. This is run 2; notes.md has 2 lines, and step 2 is where we were.',
    )
    expect(second).not.toContain('step   2 of 4')
    expect(second).toContain('step   3 of 4')
    expect(await readFile(join(work, 'notes.md'), 'utf8')).toBe(`run 1: -n it's "$HOME"\nrun 2: again\n`)
    // A freeze may catch a counter while it is written.
    await writeFile(join(work, '.step'), '')
    await writeFile(join(work, '.runs'), 'x')
    expect(await run('third', '1')).toContain('step   1 of 1')
  })
})
