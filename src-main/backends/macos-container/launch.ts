import { setTimeout as sleep } from 'node:timers/promises'
import { bottleError, isBottleError, toBottleError, toFailure } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { LaunchPlan, ReportProgress, RuntimeRef } from '../backend.ts'
import type { RunRecipe } from '../guest/run-files.ts'
import { LABEL, labelOf } from '../labels.ts'
import { requireRelease } from './client.ts'
import type { ContainerFacts } from './container-facts.ts'
import { inspectContainer, removeContainer } from './containers.ts'
import type { ContainerContext } from './context.ts'
import { type ContainerPlan, createArguments } from './create-arguments.ts'
import { ensureImage, type ImageFacts } from './image-source.ts'
import { removeImage } from './images.ts'
import { nameOf } from './names.ts'
import { checkPlan, imageNotices, NO_SHELL_NOTICE, requireNoSecrets } from './preflight.ts'
import {
  dropCopied,
  fillRunFolder,
  type RunDelivery,
  readStarts,
  removeRunFolder,
  runFolder,
} from './run-folder.ts'
import {
  closeTerminal,
  mayLackShell,
  requireBegun,
  type Started,
  type StartTarget,
  startContainer,
} from './start.ts'

const UNDO_MS = 120_000
/** A create whose answer got lost may still be at work inside the engine. */
const LATE_CREATE_MS = 2000

/**
 * Creates, fills and starts a run. The engine can't rename, so a run takes the bottle's own name only where the run
 * before it does not hold it; that one is the caller's to remove, once this one runs.
 * On failure everything made is removed again. @throws BottleError
 */
export async function launchRun(
  context: ContainerContext,
  plan: LaunchPlan,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  checkPlan(plan)
  await requireRelease(context.client, signal)
  const made: Made = { built: null, name: null, isInDoubt: false, socket: null }
  try {
    return await makeRun(context, plan, made, progress, signal)
  } catch (thrown) {
    made.isInDoubt = isBottleError(thrown) && ['cancelled', 'timeout'].includes(thrown.code)
    const left = await takeBack(context, plan, made)
    const failed = toBottleError(thrown, plan.slug)
    if (left.length === 0) throw failed
    throw bottleError(failed.code, `${failed.message} Could not take back: ${left.join(', ')}.`, {
      slug: plan.slug,
      detail: failed.detail,
      cause: failed,
    })
  }
}

/** What a failure has to take back. */
interface Made {
  built: string | null
  name: string | null
  /** A call was cut off, so that a container may still appear. */
  isInDoubt: boolean
  socket: string | null
}

async function makeRun(
  context: ContainerContext,
  plan: LaunchPlan,
  made: Made,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  progress({ phase: 'preparing image', current: null, total: null })
  const image = await ensureImage(context.client, plan, progress, signal)
  made.built = image.built
  const notices = imageNotices(plan, image)
  const held = plan.previous?.backend === 'macos-container' ? plan.previous.name : null
  const name = nameOf(plan.slug, plan.runId, held)
  progress({ phase: 'creating', current: null, total: null })
  const folder = runFolder(context.home, plan.slug, plan.runId)
  await fillRunFolder(folder, deliveryOf(plan, image), signal)
  const draft: ContainerPlan = {
    name,
    run: plan,
    image,
    recipe: recipeOf(plan, image),
    hasShell: image.hasShell ?? true,
    guestFolder: folder.guest,
  }
  made.name = name
  const { started, hasShell } = await startMade(context, draft, signal)
  made.socket = started.socket
  faultPoint('start:after-start')
  await dropCopied(folder).catch(() => undefined)
  const facts: ContainerFacts = {
    root: plan.rootId,
    tty: plan.tty,
    hasShell,
    socket: started.socket,
    imageReference: image.reference,
    imageDigest: image.digest,
    built: image.built,
    notices: hasShell || image.hasShell === false ? notices : [...notices, NO_SHELL_NOTICE],
  }
  return {
    backend: 'macos-container',
    id: name,
    name,
    slug: plan.slug,
    runId: plan.runId,
    volumes: [],
    networks: [],
    sidecars: [],
    facts: { ...facts },
  }
}

/** Pure: what the run is to run; the plan's command line replaces both of the image's parts. @throws BottleError */
export function recipeOf(
  plan: LaunchPlan,
  image: Pick<ImageFacts, 'entrypoint' | 'cmd' | 'reference'>,
): RunRecipe {
  const argv = plan.argv ?? [...image.entrypoint, ...image.cmd]
  if (argv.length === 0) {
    throw bottleError(
      'manifest-invalid',
      `The image ${image.reference} has no command of its own, and none is given.`,
    )
  }
  return { argv, env: plan.env, secrets: plan.secrets, homeFiles: plan.homeFiles }
}

/** Pure: what a run's folder is to hold. */
export function deliveryOf(
  plan: LaunchPlan,
  image: Pick<ImageFacts, 'entrypoint' | 'cmd' | 'reference' | 'workdir'>,
): RunDelivery {
  return {
    recipe: recipeOf(plan, image),
    hasTerminal: plan.tty,
    workdir: plan.workdir ?? (plan.copyCwd && image.workdir === '' ? '/workspace' : null),
    copied: plan.copyCwd,
  }
}

/** Makes and starts the container; one without a terminal in one call. */
async function startNew(
  context: ContainerContext,
  draft: ContainerPlan,
  signal: AbortSignal,
): Promise<Started> {
  await createContainer(context, draft, signal)
  faultPoint('start:after-create')
  const target = targetOf(draft)
  if (target.tty) return startContainer(context, target, signal)
  await requireBegun(context, target, '', signal)
  return { socket: null }
}

const targetOf = ({ name, run, hasShell }: ContainerPlan): StartTarget => {
  return { id: name, slug: run.slug, runId: run.runId, tty: run.tty, hasShell }
}

/** Starts the run; an image that turns out to have no shell gets another container, made without our script. */
async function startMade(
  context: ContainerContext,
  draft: ContainerPlan,
  signal: AbortSignal,
): Promise<{ readonly started: Started; readonly hasShell: boolean }> {
  const { run, image } = draft
  try {
    return { started: await startNew(context, draft, signal), hasShell: draft.hasShell }
  } catch (thrown) {
    if (image.hasShell !== null || !(await mayLackShell(context, targetOf(draft), thrown))) throw thrown
    const first = toBottleError(thrown, run.slug)
    try {
      requireNoSecrets(run)
    } catch (refusal) {
      // The engine's own words go along: another cause than a missing shell is possible.
      throw bottleError('unsupported', toFailure(refusal).message, {
        slug: run.slug,
        detail: first.detail,
        cause: first,
      })
    }
    await removeOfRun(context, draft.name, run.runId, false, signal)
    return { started: await startNew(context, { ...draft, hasShell: false }, signal), hasShell: false }
  }
}

async function createContainer(
  context: ContainerContext,
  draft: ContainerPlan,
  signal: AbortSignal,
): Promise<void> {
  const create = () => context.client.run(createArguments(draft), signal)
  try {
    await create()
  } catch (thrown) {
    if (!isBottleError(thrown) || thrown.code !== 'exists') throw thrown
    if (!(await clearLeftover(context, draft, signal))) {
      throw bottleError('exists', `A container named ${draft.name} exists already. It was left as it is.`, {
        slug: draft.run.slug,
        cause: thrown,
        detail: thrown.detail,
      })
    }
    await create()
  }
}

/** Only a container of this very bottle that never ran may be in the way: it holds no work. */
async function clearLeftover(
  context: ContainerContext,
  draft: ContainerPlan,
  signal: AbortSignal,
): Promise<boolean> {
  const { run } = draft
  const found = await inspectContainer(context.client, draft.name, signal)
  if (!found) return false
  const runId = labelOf(found.labels, LABEL.run)
  const isOurs =
    labelOf(found.labels, LABEL.root) === run.rootId && labelOf(found.labels, LABEL.slug) === run.slug
  if (!isOurs || !runId || found.state !== 'stopped' || found.startedAt) return false
  if ((await readStarts(runFolder(context.home, run.slug, runId))) !== '') return false
  await removeContainer(context.client, draft.name, signal)
  return true
}

async function takeBack(context: ContainerContext, plan: LaunchPlan, made: Made): Promise<readonly string[]> {
  const late = AbortSignal.timeout(UNDO_MS)
  const { name, built } = made
  const left: string[] = []
  const attempt = async (what: string, step: () => Promise<unknown>) => {
    await step().catch((thrown: unknown) => left.push(`${what} (${toFailure(thrown).message})`))
  }
  await attempt('terminal', () => closeTerminal(context, made.socket))
  if (name)
    await attempt(`container ${name}`, () => removeOfRun(context, name, plan.runId, made.isInDoubt, late))
  // While a container may be left, what it is bound to stays too.
  if (left.length === 0) {
    await attempt('its files', () => removeRunFolder(runFolder(context.home, plan.slug, plan.runId)))
  }
  if (built) await attempt(`image ${built}`, () => removeImage(context.client, built, late))
  return left
}

/** Removes a container that this very run made, and no other of its name. */
async function removeOfRun(
  context: ContainerContext,
  name: string,
  runId: string,
  isInDoubt: boolean,
  signal: AbortSignal,
): Promise<void> {
  const until = isInDoubt ? Date.now() + LATE_CREATE_MS : 0
  for (;;) {
    const found = await inspectContainer(context.client, name, signal)
    if (found) {
      if (labelOf(found.labels, LABEL.run) === runId) await removeContainer(context.client, name, signal)
      return
    }
    if (Date.now() > until) return
    await sleep(200, undefined, { signal })
  }
}
