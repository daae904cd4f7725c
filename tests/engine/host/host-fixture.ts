import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend, LaunchPlan, RuntimeRef } from '../../../src-main/backends/backend.ts'
import type { FreezeSubject } from '../../../src-main/backends/freezer.ts'
import { createHostBackend } from '../../../src-main/backends/host/host-backend.ts'
import { openStateRoot, type StateRoot } from '../../../src-main/state/root.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'

export const never = (): AbortSignal => new AbortController().signal

/** A state root of its own with a backend on it, a bottle's name, and shorthands for what tests do over and over. */
export interface HostWorld {
  readonly root: StateRoot
  readonly backend: Backend
  readonly slug: string
  readonly stateDir: string
  readonly workspace: string
  /** The person's home, which bottles must not see into. */
  readonly userHome: string
  plan(script: string, more?: Partial<LaunchPlan>): LaunchPlan
  launch(script: string, more?: Partial<LaunchPlan>): Promise<RuntimeRef>
  freeze(ref: RuntimeRef, parent?: Snapshot | null): Promise<Snapshot>
  outputOf(ref: RuntimeRef): Promise<string>
  close(): Promise<void>
}

/** `isolation: 'none'` turns the sandbox off. `base` is where the state root lies; default a temp folder. */
export async function openHostWorld(
  options: { readonly isolation?: 'none'; readonly base?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<HostWorld> {
  const base = await mkdtemp(join(options.base ?? tmpdir(), 'icebox-host-'))
  const userHome = join(base, 'person')
  await mkdir(userHome)
  const root = await openStateRoot(join(base, 'root'))
  const env = {
    ...process.env,
    HOME: userHome,
    ...(options.isolation ? { ICEBOX_HOST_ISOLATION: options.isolation } : {}),
    ...options.env,
  }
  const backend = createHostBackend({ rootId: root.id, home: root.dir, env })
  const slug = `h-${randomBytes(4).toString('hex')}`
  const stateDir = root.path('state', slug)
  await mkdir(stateDir, { recursive: true })
  const launched: RuntimeRef[] = []
  const plan = (script: string, more: Partial<LaunchPlan> = {}): LaunchPlan => ({
    ...barePlan(root.id, slug, stateDir),
    argv: ['/bin/sh', '-c', script],
    ...more,
  })
  return {
    root,
    backend,
    slug,
    stateDir,
    workspace: join(stateDir, 'live', 'workspace'),
    userHome,
    plan,
    async launch(script, more) {
      const ref = await backend.launch(plan(script, more), () => undefined, never())
      launched.push(ref)
      return ref
    },
    async freeze(ref, parent = null) {
      const subject: FreezeSubject = {
        slug,
        stateDir,
        runtime: ref,
        parent,
        agent: 'test',
        provider: 'custom',
      }
      const options = {
        reason: 'user',
        note: '',
        label: '',
        pinned: false,
        confirm: async () => true,
      } as const
      return (await backend.freezer.freeze(root, subject, options, () => undefined, never())).snapshot
    },
    async outputOf(ref) {
      return readFile(join(stateDir, 'logs', `${ref.runId}.log`), 'utf8')
    },
    async close() {
      for (const ref of launched) await backend.remove(ref, never())
      await rm(base, { recursive: true, force: true })
    },
  }
}

/** A plan with nothing in it but the names. */
export function barePlan(rootId: string, slug: string, stateDir: string): LaunchPlan {
  return {
    slug,
    runId: randomBytes(5).toString('hex'),
    rootId,
    stateDir,
    previous: null,
    image: { kind: 'none' },
    argv: null,
    prompt: null,
    env: {},
    secrets: {},
    forgeEnv: {},
    user: null,
    workdir: null,
    mounts: [],
    resources: { cpus: null, memoryBytes: null },
    sidecars: [],
    network: 'default',
    copyCwd: null,
    tty: false,
    homeFiles: {},
  }
}

/** Waits until `check` holds; fails with `what` after 20 s. */
export async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await delay(10)
  }
}

/** The content of a file, or null. */
export async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null)
}

/** A value that is nowhere else. */
export const canary = (): string => `canary-${randomUUID()}`
