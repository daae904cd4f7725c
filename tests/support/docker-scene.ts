import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, LaunchPlan, RuntimeRef } from '../../src-main/backends/backend.ts'
import { createDockerBackend } from '../../src-main/backends/docker/docker-backend.ts'
import type { FreezeOutcome, FreezeSubject } from '../../src-main/backends/freezer.ts'
import { openStateRoot, type StateRoot } from '../../src-main/state/root.ts'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { must } from './busybox-image.ts'
import { runChild } from './child.ts'
import { rawEngine } from './raw-engine.ts'

/** A Docker backend on a state root of its own, and short ways to use it. */
export interface DockerScene {
  readonly backend: Backend
  readonly root: StateRoot
  readonly signal: AbortSignal
  /** A plan that runs `sh -c script`; the slug is new unless given. */
  plan(image: string, script: string | null, changes?: Partial<LaunchPlan>): LaunchPlan
  launch(plan: LaunchPlan): Promise<RuntimeRef>
  /** Launches, waits for the end and returns output and exit code. */
  run(plan: LaunchPlan): Promise<{ ref: RuntimeRef; output: string; exitCode: number | null }>
  output(ref: RuntimeRef): Promise<string>
  freeze(ref: RuntimeRef, parent?: Snapshot | null): Promise<FreezeOutcome>
  /** A plan that resumes a snapshot. */
  planResume(snapshot: Snapshot, script: string | null, changes?: Partial<LaunchPlan>): LaunchPlan
  /** Removes all that this root owns on the engine, and its folder. */
  dispose(): Promise<void>
}

export async function makeDockerScene(
  options: { readonly flattenAt?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<DockerScene> {
  const dir = await mkdtemp(join(tmpdir(), 'icebox-docker-'))
  const root = await openStateRoot(dir)
  const backend = createDockerBackend({ rootId: root.id, home: root.dir, ...options })
  const signal = new AbortController().signal
  const scene: DockerScene = {
    backend,
    root,
    signal,
    plan(image, script, changes = {}) {
      const slug = changes.slug ?? `t-${randomBytes(4).toString('hex')}`
      return {
        slug,
        runId: randomBytes(5).toString('hex'),
        rootId: root.id,
        stateDir: root.path('state', slug),
        previous: null,
        image: { kind: 'image', reference: image },
        argv: script === null ? null : ['sh', '-c', script],
        prompt: null,
        env: {},
        secrets: {},
        forgeEnv: {},
        user: null,
        workdir: null,
        mounts: [],
        resources: { cpus: null, memoryBytes: null },
        sidecars: [],
        network: 'none',
        copyCwd: null,
        tty: false,
        homeFiles: {},
        ...changes,
      }
    },
    async launch(plan) {
      await mkdir(plan.stateDir, { recursive: true })
      await backend.preflight(plan, signal)
      return backend.launch(plan, () => undefined, signal)
    },
    async run(plan) {
      const ref = await scene.launch(plan)
      const ended = await backend.wait(ref, signal)
      return { ref, output: await scene.output(ref), exitCode: ended?.exitCode ?? null }
    },
    async output(ref) {
      const chunks: Uint8Array[] = []
      for await (const chunk of backend.logs(ref, { follow: false }, signal)) chunks.push(chunk)
      return Buffer.concat(chunks).toString('utf8')
    },
    freeze(ref, parent = null) {
      const stateDir = root.path('state', ref.slug)
      const subject: FreezeSubject = {
        slug: ref.slug,
        stateDir,
        runtime: ref,
        parent,
        agent: 'a',
        provider: 'custom',
      }
      const how = { reason: 'user', note: '', label: '', pinned: false, confirm: async () => true } as const
      return backend.freezer.freeze(root, subject, how, () => undefined, signal)
    },
    planResume: (snapshot, script, changes = {}) =>
      scene.plan('', script, { slug: snapshot.slug, image: { kind: 'snapshot', snapshot }, ...changes }),
    async dispose() {
      await removeOwned(root.id)
      await rm(dir, { recursive: true, force: true })
    },
  }
  return scene
}

/** By plain client calls: a test's cleaning must not rest on what it tests. */
export async function removeOwned(rootId: string): Promise<void> {
  const ids = async (args: readonly string[]) => (await must('docker', args)).split('\n').filter(Boolean)
  const owner = `label=dev.icebox.root=${rootId}`
  const containers = await ids(['ps', '-aq', '--filter', owner])
  if (containers.length > 0) await must('docker', ['rm', '-f', ...containers])
  const volumes = await ids(['volume', 'ls', '-q', '--filter', owner])
  if (volumes.length > 0) await must('docker', ['volume', 'rm', '-f', ...volumes])
  const networks = await ids(['network', 'ls', '-q', '--filter', owner])
  if (networks.length > 0) await must('docker', ['network', 'rm', ...networks])
  for (const label of ['snapshot-root', 'build-root']) {
    const list = () => ids(['images', '-q', '--filter', `label=dev.icebox.${label}=${rootId}`])
    // Images of one second come in any order, and a parent only goes after its children: each round frees a level.
    for (let images = await list(); images.length > 0; images = await list()) {
      const removed = await runChild('docker', ['rmi', '-f', ...new Set(images)], { timeout: 300_000 })
      if (removed.exitCode === 0) break
      if ((await list()).length >= images.length) throw new Error(removed.output)
    }
  }
}

/** The engine's own answer about a container. */
export async function inspectRaw(id: string): Promise<ContainerAnswer> {
  return rawEngine().call<ContainerAnswer>('GET', `/containers/${id}/json`)
}

export interface ContainerAnswer {
  readonly Id: string
  readonly Name: string
  readonly State: { readonly Status: string; readonly Running: boolean; readonly Paused: boolean }
  readonly Config: {
    readonly Entrypoint: readonly string[] | null
    readonly Cmd: readonly string[] | null
    readonly Env: readonly string[] | null
    readonly Labels: Readonly<Record<string, string>>
  }
}

/** A root id that no state root of this machine has. */
export const foreignRootId = () => randomUUID()

/** Waits for a condition; the test's own limit ends a vain wait. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}
