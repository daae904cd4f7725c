import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { ImageInspectInfo } from 'dockerode'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { ImageSource, LaunchPlan, ReportProgress } from '../backend.ts'
import { packTree } from '../guest/tar-pack.ts'
import { parseDockerIgnore, takesBack } from './docker-ignore.ts'
import { type Engine, LONG_MS, SHORT_MS } from './engine.ts'
import { isMissing } from './engine-errors.ts'
import { readProgress } from './json-lines.ts'
import { buildRepository, isImageName, LABEL, labelOf } from './labels.ts'

/** What Icebox needs to know of an image; plain JSON. */
export interface ImageFacts {
  readonly id: string
  /** What a container is created from. */
  readonly reference: string
  readonly entrypoint: readonly string[] | null
  readonly cmd: readonly string[] | null
  readonly workdir: string
  readonly user: string
  readonly home: string | null
  readonly volumes: readonly string[]
  readonly layers: number
  /** How many of them belong to the image that the bottle was first started from; null when that is not known. */
  readonly baseLayers: number | null
  readonly bytes: number
  /** Known for a snapshot that told it; null means look. */
  readonly hasShell: boolean | null
  /** Tag of an image that this run built for itself, else null. */
  readonly built: string | null
}

/** Pure: the engine's answer as facts. */
export function imageFacts(reference: string, found: ImageInspectInfo): ImageFacts {
  const config = found.Config
  const entrypoint = config?.Entrypoint as string[] | string | null | undefined
  const home = (config?.Env ?? []).find((line) => line.startsWith('HOME='))
  return {
    id: found.Id,
    reference,
    entrypoint: typeof entrypoint === 'string' ? [entrypoint] : (entrypoint ?? null),
    cmd: config?.Cmd ?? null,
    workdir: config?.WorkingDir ?? '',
    user: config?.User ?? '',
    home: home ? home.slice('HOME='.length) : null,
    volumes: Object.keys(config?.Volumes ?? {}),
    layers: found.RootFS?.Layers?.length ?? 0,
    baseLayers: labelOf(found.Config?.Labels, LABEL.snapshot) ? null : (found.RootFS?.Layers?.length ?? 0),
    bytes: found.Size,
    hasShell: null,
    built: null,
  }
}

/** The raw inspection, or null when the image is not there. @throws BottleError */
export async function inspectImage(
  engine: Engine,
  reference: string,
  signal: AbortSignal,
): Promise<ImageInspectInfo | null> {
  if (!isImageName(reference)) throw bottleError('image-missing', `"${reference}" is not an image name.`)
  try {
    // A reference holds slashes and colons that the engine expects as they are; isImageName let no others through.
    return await engine.get<ImageInspectInfo>(
      `look at image ${reference}`,
      `/images/${reference}/json`,
      signal,
      SHORT_MS,
    )
  } catch (thrown) {
    if (isMissing(thrown)) return null
    if (isBottleError(thrown) && /invalid reference format|must be lowercase/.test(thrown.detail ?? '')) {
      throw bottleError('image-missing', `"${reference}" is not an image name.`, { cause: thrown })
    }
    throw thrown
  }
}

/** Makes sure that the agent's image is in the daemon: found, pulled, built, or the snapshot's. @throws BottleError */
export async function ensureImage(
  engine: Engine,
  plan: LaunchPlan,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const source = plan.image
  if (source.kind === 'image') return ensureNamed(engine, source.reference, progress, signal)
  if (source.kind === 'build') return buildImage(engine, plan, source, progress, signal)
  if (source.kind === 'snapshot') return snapshotImage(engine, source, signal)
  throw bottleError('manifest-invalid', 'A bottle on Docker needs an image or a build.', { slug: plan.slug })
}

/** An image by name, pulled when absent. @throws BottleError `image-missing` with the name */
export async function ensureNamed(
  engine: Engine,
  reference: string,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const found = await inspectImage(engine, reference, signal)
  if (found) return imageFacts(reference, found)
  await pull(engine, reference, progress, signal)
  const pulled = await inspectImage(engine, reference, signal)
  if (pulled) return imageFacts(reference, pulled)
  throw bottleError('image-missing', `There is no image "${reference}".`)
}

async function pull(
  engine: Engine,
  reference: string,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<void> {
  progress({ phase: `pulling ${reference}`, current: null, total: null })
  const hasTag = reference.includes('@') || /:[^/]*$/.test(reference)
  const full = hasTag ? reference : `${reference}:latest`
  try {
    await engine.call(
      `pull ${reference}`,
      signal,
      async (docker, abortSignal) => {
        const stream = await docker.pull(full, { abortSignal })
        await readProgress(stream, `pull ${reference}`, (line) => {
          const detail = line.progressDetail as { current?: number; total?: number } | undefined
          if (detail?.total) {
            progress({ phase: `pulling ${reference}`, current: detail.current ?? null, total: detail.total })
          }
        })
      },
      LONG_MS,
    )
  } catch (thrown) {
    if (!isBottleError(thrown)) throw thrown
    if (['cancelled', 'disk-full', 'engine-down', 'engine-missing', 'timeout'].includes(thrown.code))
      throw thrown
    throw bottleError('image-missing', `There is no image "${reference}" here, and it could not be pulled.`, {
      detail: thrown.detail,
      cause: thrown,
    })
  }
}

const LOOK_MS = 2000
/** What a preflight saw, for the launch that follows it at once with the same record. */
const looks = new WeakMap<Snapshot, { readonly found: ImageInspectInfo; readonly at: number }>()

/** Keeps a snapshot's inspection for a moment, so that the launch need not ask again. */
export function keepLook(snapshot: Snapshot, found: ImageInspectInfo): void {
  looks.set(snapshot, { found, at: performance.now() })
}

function takeLook(snapshot: Snapshot): ImageInspectInfo | null {
  const look = looks.get(snapshot)
  looks.delete(snapshot)
  return look && performance.now() - look.at < LOOK_MS ? look.found : null
}

async function snapshotImage(
  engine: Engine,
  source: Extract<ImageSource, { kind: 'snapshot' }>,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const { reference, digest, id, facts } = source.snapshot
  const found = takeLook(source.snapshot) ?? (await inspectImage(engine, reference, signal))
  if (!found)
    throw bottleError('snapshot-missing', `The image of snapshot ${id} (${reference}) is not in Docker.`)
  if (digest && found.Id !== digest) {
    throw bottleError('snapshot-missing', `${reference} is no longer the image that snapshot ${id} made.`, {
      detail: `expected ${digest}, found ${found.Id}`,
    })
  }
  return {
    ...imageFacts(reference, found),
    baseLayers: typeof facts.baseLayers === 'number' ? facts.baseLayers : null,
    hasShell: typeof facts.hasShell === 'boolean' ? facts.hasShell : null,
  }
}

async function buildImage(
  engine: Engine,
  plan: LaunchPlan,
  source: Extract<ImageSource, { kind: 'build' }>,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const tag = `${buildRepository(plan.slug)}:${plan.runId}`
  progress({ phase: 'building', current: null, total: null })
  const ignore = await readFile(join(source.context, '.dockerignore'), 'utf8').catch(() => '')
  const isIgnored = parseDockerIgnore(ignore)
  const mustEnter = takesBack(ignore)
  const keep = new Set([source.dockerfile.replace(/^\.\//, ''), '.dockerignore'])
  const context = await packTree(source.context, {
    owner: { uid: 0, gid: 0 },
    under: '',
    choose: (path, isFolder) => {
      if (!isIgnored(path) || keep.has(path)) return 'pack'
      const holdsKept = [...keep].some((name) => name.startsWith(`${path}/`))
      return isFolder && (mustEnter || holdsKept) ? 'enter' : 'skip'
    },
    signal,
  })
  await engine.call(
    `build the image of ${plan.slug}`,
    signal,
    async (docker, abortSignal) => {
      const stream = await docker.buildImage(context, {
        t: tag,
        dockerfile: source.dockerfile,
        ...(source.target ? { target: source.target } : {}),
        rm: true,
        forcerm: true,
        labels: { [LABEL.buildRoot]: plan.rootId, [LABEL.buildSlug]: plan.slug },
        abortSignal,
      })
      await readProgress(stream, `build the image of ${plan.slug}`, (line) => {
        const step = typeof line.stream === 'string' ? /^Step (\d+)\/(\d+)/.exec(line.stream) : null
        if (step) progress({ phase: 'building', current: Number(step[1]), total: Number(step[2]) })
      })
    },
    LONG_MS,
  )
  const found = await inspectImage(engine, tag, signal)
  if (!found) throw bottleError('engine-failed', `Docker built no image for ${plan.slug}.`)
  return { ...imageFacts(tag, found), built: tag }
}
