import type { ContainerInspectInfo } from 'dockerode'
import { bottleError } from '../../system/bottle-error.ts'
import { type Engine, LONG_MS } from './engine.ts'
import { readProgress } from './json-lines.ts'
import { LABEL } from './labels.ts'
import { removeContainer, removeTag } from './remove-objects.ts'

/**
 * Makes a new root layer of a container's whole file system and commits it with the given config under `target`.
 * The container should be paused or stopped. Returns the image id. @throws BottleError
 */
export async function flattenContainer(
  engine: Engine,
  found: ContainerInspectInfo,
  body: Record<string, unknown>,
  target: { readonly repo: string; readonly tag: string },
  mark: string,
  signal: AbortSignal,
): Promise<string> {
  const rootImage = await importRoot(engine, found.Id, mark, signal)
  let scratch: string | null = null
  try {
    scratch = await createScratch(engine, rootImage, mark, signal)
    const id = scratch
    const made = (await engine.call(
      `commit ${target.repo}:${target.tag}`,
      signal,
      (docker, abortSignal) =>
        docker.getContainer(id).commit({
          _query: { container: id, ...target, pause: false },
          _body: fullBody(found, body),
          abortSignal,
        }),
      LONG_MS,
    )) as { Id: string }
    return made.Id
  } finally {
    const late = AbortSignal.timeout(60_000)
    if (scratch) await removeContainer(engine, scratch, late)
    // With a child it only stays as that image's nameless parent.
    await removeTag(engine, rootImage, late).catch(() => {})
  }
}

/** The container's own config, which a commit of another container would not inherit. */
function fullBody(found: ContainerInspectInfo, body: Record<string, unknown>): Record<string, unknown> {
  const { Env, ExposedPorts, Volumes, Labels, User, WorkingDir, Entrypoint, Cmd } = found.Config
  const { Healthcheck, StopSignal } = found.Config as { Healthcheck?: unknown; StopSignal?: unknown }
  return {
    Env,
    ExposedPorts,
    Volumes,
    User,
    WorkingDir,
    Entrypoint,
    Cmd,
    ...(Healthcheck ? { Healthcheck } : {}),
    ...(StopSignal ? { StopSignal } : {}),
    ...body,
    Labels: { ...Labels, ...(body.Labels as Record<string, string>), [LABEL.scratch]: '' },
  }
}

async function importRoot(engine: Engine, id: string, mark: string, signal: AbortSignal): Promise<string> {
  return engine.call(
    'flatten the layers',
    signal,
    async (docker, abortSignal) => {
      const tree = await docker.getContainer(id).export({ abortSignal })
      const answer = await docker.importImage(tree, {
        changes: `LABEL ${LABEL.scratch}=${mark}`,
        abortSignal,
      })
      let image = ''
      await readProgress(answer, 'flatten the layers', (line) => {
        if (typeof line.status === 'string' && line.status.startsWith('sha256:')) image = line.status
      })
      if (!image)
        throw bottleError('engine-failed', 'Docker did not say what it made of the flattened layers.')
      return image
    },
    LONG_MS,
  )
}

/** Never started: it only carries the new root layer into a commit. Labelled, so that a crash leaves it findable. */
async function createScratch(
  engine: Engine,
  image: string,
  mark: string,
  signal: AbortSignal,
): Promise<string> {
  const body = {
    Image: image,
    Entrypoint: ['/'],
    Cmd: [],
    Labels: { [LABEL.scratch]: mark },
    HostConfig: { NetworkMode: 'none' },
  }
  const made = await engine.call('flatten the layers', signal, (docker, abortSignal) =>
    docker.createContainer({ _query: {}, _body: body, abortSignal } as object),
  )
  return made.id
}

/** Removes what a flattening of a dead process left of this bottle. The caller holds the bottle's lock. @throws BottleError */
export async function removeScratch(engine: Engine, mark: string, signal: AbortSignal): Promise<void> {
  const filters = { label: [`${LABEL.scratch}=${mark}`] }
  const [containers, images] = await engine.call('look for scratch', signal, (docker, abortSignal) =>
    Promise.all([
      docker.listContainers({ all: true, filters, abortSignal }),
      docker.listImages({ filters, abortSignal }),
    ]),
  )
  for (const { Id } of containers) await removeContainer(engine, Id, signal)
  // Those that a snapshot stands on are refused, and stay.
  for (const { Id } of images) await removeTag(engine, Id, signal).catch(() => {})
}
