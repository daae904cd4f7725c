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
  rootId: string,
  signal: AbortSignal,
): Promise<string> {
  const rootImage = await importRoot(engine, found.Id, signal)
  let scratch: string | null = null
  try {
    scratch = await createScratch(engine, rootImage, rootId, signal)
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
    Labels: { ...Labels, ...(body.Labels as Record<string, string>) },
  }
}

async function importRoot(engine: Engine, id: string, signal: AbortSignal): Promise<string> {
  return engine.call(
    'flatten the layers',
    signal,
    async (docker, abortSignal) => {
      const tree = await docker.getContainer(id).export({ abortSignal })
      const answer = await docker.importImage(tree, { abortSignal })
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
  rootId: string,
  signal: AbortSignal,
): Promise<string> {
  const body = {
    Image: image,
    Entrypoint: ['/'],
    Cmd: [],
    Labels: { [LABEL.root]: rootId, [LABEL.role]: 'scratch' },
    HostConfig: { NetworkMode: 'none' },
  }
  const made = await engine.call('flatten the layers', signal, (docker, abortSignal) =>
    docker.createContainer({ _query: {}, _body: body, abortSignal } as object),
  )
  return made.id
}
