import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SuperviseOptions } from '../../src-main/bottles/supervise/supervise-root.ts'
import { readSample } from '../../src-main/state/agent-sample.ts'
import { latestRun, type RunRecord, requireMetadata } from '../../src-main/state/metadata.ts'
import type { AgentSample } from '../../src-preload/contract/agents.ts'
import type { Snapshot } from '../../src-preload/contract/entities.ts'
import { type Scenario, scriptedAgent, visibleFolder } from './scripted-agent/scripted-agent.ts'
import { makeTestBottles, type TestBottles } from './test-bottles.ts'

/** A supervisor in this process. */
export interface OwnSupervisor {
  readonly warnings: unknown[]
  /** Ends it and waits; the agents go on. */
  stop(): Promise<number>
}

/** Scripted terminal agents on this machine, and supervisors over them. */
export interface SupervisedWorld extends TestBottles {
  /** Variables with which a child process finds the scripted agent. */
  readonly env: NodeJS.ProcessEnv
  agent(name: string, front: string): Promise<void>
  /** Starts an agent that is kept running, and returns its slug. */
  begin(name: string, label?: string): Promise<string>
  supervise(options?: Partial<SuperviseOptions>): Promise<OwnSupervisor>
  newestRun(slug: string): Promise<RunRecord>
  sample(slug: string): Promise<AgentSample | null>
  snapshots(slug: string): Promise<readonly Snapshot[]>
  journal(slug: string): Promise<readonly string[]>
  /** Types a line into the agent's terminal. */
  say(slug: string, text: string): Promise<void>
  /** What the agent wrote of its life, of all its launches. */
  life(slug: string): Promise<readonly string[]>
  /** Lines of a file that hooks of a test append to. */
  lines(file: string): Promise<readonly string[]>
}

/** Waits for a condition, with what it was about in the error. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | null | false>,
  ms = 60_000,
): Promise<T> {
  const begun = Date.now()
  for (;;) {
    const found = await look()
    if (found) return found
    const waited = Date.now() - begun
    if (waited > ms) throw new Error(`never: ${what}`)
    // A look may read many files: what takes long is asked for less often.
    await delay(Math.min(250, 50 + waited / 20))
  }
}

export async function makeSupervisedWorld(scenario: Scenario = {}): Promise<SupervisedWorld> {
  const programs = await visibleFolder()
  await scriptedAgent(programs.dir, scenario)
  const env = { ...process.env, PATH: `${programs.dir}:${process.env.PATH}` }
  const bottles = await makeTestBottles('backend: host', undefined, env)
  const { icebox, home } = bottles
  const supervisors: OwnSupervisor[] = []
  const never = new AbortController().signal
  const life = (slug: string): Promise<readonly string[]> =>
    readLines(icebox.root.path('state', slug, 'live/home/.scripted-agent/log'))
  const readLines = async (file: string): Promise<readonly string[]> =>
    (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '')
  return {
    ...bottles,
    env: { ...env, ICEBOX_HOME: home.dir },
    agent: (name, front) => home.writeAgent(name, `provider: claude\nbottle: box\n${front}`),
    async begin(name, label = name) {
      const { slug } = await icebox.bottles.start(
        { agent: name, mode: 'headless', label, cwd: join(home.dir, 'cwd'), allowMissingSecrets: true },
        bottles.context(),
      )
      return slug
    },
    async supervise(options = {}) {
      const ending = new AbortController()
      const warnings: unknown[] = []
      const { done } = await new Promise<{ readonly done: Promise<number> }>((resolve, reject) => {
        const running: Promise<number> = icebox.supervise({
          kind: 'serve',
          warn: (error) => warnings.push(error),
          ...options,
          signal: ending.signal,
          onChange: (generation) => {
            options.onChange?.(generation)
            if (generation !== null) resolve({ done: running })
          },
        })
        running.catch(reject)
      })
      const supervisor: OwnSupervisor = {
        warnings,
        async stop() {
          ending.abort()
          return done
        },
      }
      supervisors.push(supervisor)
      return supervisor
    },
    async newestRun(slug) {
      const run = latestRun(await requireMetadata(icebox.root, slug))
      if (!run) throw new Error(`${slug} has no run`)
      return run
    },
    sample: (slug) => readSample(icebox.root, slug),
    snapshots: (slug) => icebox.bottles.snapshots(slug),
    journal: async (slug) =>
      (await icebox.bottles.journal(slug)).map(({ op, message }) => `${op}: ${message}`),
    async say(slug, text) {
      const run = latestRun(await requireMetadata(icebox.root, slug))
      const { createHostBackend } = await import('../../src-main/backends/host/host-backend.ts')
      const backend = createHostBackend({ rootId: icebox.root.id, home: icebox.root.dir, env })
      const access = await backend.access?.()
      if (!run?.ref || !access) throw new Error(`${slug} can't be typed into`)
      const { ref } = run
      const turns = async () => (await life(slug)).filter((line) => line === `turn ${text}`).length
      const before = await turns()
      await access.type(ref, [{ text }, { pauseMs: 400 }], never)
      // As real programs do, it drops an Enter that comes while it paints.
      await until(`${slug} takes ${text}`, async () => {
        if ((await turns()) > before) return true
        await access.type(ref, [{ key: 'Enter' }, { pauseMs: 500 }], never)
        return (await turns()) > before
      })
    },
    life,
    lines: readLines,
    async dispose(options) {
      for (const supervisor of supervisors) await supervisor.stop()
      await bottles.dispose(options)
      await programs.remove()
      await rm(home.dir, { recursive: true, force: true })
    },
  }
}
