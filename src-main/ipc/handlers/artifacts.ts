import { rm } from 'node:fs/promises'
import type { ParsedArgs } from '../../../src-preload/contract/index.ts'
import type { Artifacts } from '../../bottles/artifact-services.ts'
import type { OperationContext } from '../../bottles/services.ts'
import type { StateRoot } from '../../state/root.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { TaskContext, TaskQueue } from '../../tasks/task-queue.ts'
import type { Handlers } from '../router.ts'
import type { Transfers } from '../transfers/transfers.ts'
import { closing } from './launch-task.ts'
import { prepareArtifact } from './prepare-artifact.ts'

type ArtifactCall =
  | 'snapshot:diff'
  | 'snapshot:diff-file'
  | 'snapshot:verify'
  | 'snapshot:delete'
  | 'artifact:search-secrets'
  | 'artifact:export'
  | 'artifact:download'
  | 'artifact:prepare'
  | 'artifact:drag-link'
  | 'artifact:import'
  | 'artifact:push'
  | 'artifact:pull'
  | 'space:usage'
  | 'space:prune'

/** The calls about frozen bottles as files and what they take up. `signal` ends with the server. */
export function artifactHandlers(
  artifacts: Artifacts,
  tasks: TaskQueue,
  transfers: Transfers,
  root: StateRoot,
  signal: AbortSignal,
): Pick<Handlers, ArtifactCall> {
  const started = (taskId: string, slug: string | null) => Promise.resolve({ taskId, slug })
  const quiet: OperationContext = {
    signal,
    progress: () => {},
    notice: () => {},
    confirm: () => Promise.resolve(false),
  }
  return {
    'snapshot:diff': ({ from, to }) => artifacts.diff(from, to, quiet),
    'snapshot:diff-file': ({ from, to, path }) => artifacts.diffFile(from, to, path, quiet),
    'snapshot:verify': (target) =>
      started(
        tasks.start('verify', target.slug, (context) => verify(artifacts, target, context)),
        target.slug,
      ),
    'snapshot:delete': (target) =>
      started(
        // The page has asked already, with what it frees in view.
        tasks.start('delete-snapshot', target.slug, async (context) =>
          closing(
            `Moved ${target.slug}@${target.snapshot} to the trash.`,
            await artifacts.deleteSnapshot(target, { ...context, confirm: () => Promise.resolve(true) }),
          ),
        ),
        target.slug,
      ),
    'artifact:search-secrets': async (target) => [...(await artifacts.searchSecrets(target, quiet))],
    'artifact:export': (args) => {
      const taskId: string = tasks.start('export', args.slug, (context) =>
        exportFile(artifacts, transfers, args, () => taskId, context),
      )
      return started(taskId, args.slug)
    },
    'artifact:download': async ({ taskId }) => (await transfers.downloads()).offer(taskId),
    'artifact:prepare': (args) => prepareArtifact({ artifacts, tasks, transfers, root }, args),
    'artifact:drag-link': async ({ token }) => transfers.dragLinks.offer(token),
    'artifact:import': async ({ bytes, label }) => {
      const upload = transfers.uploads.expect(bytes)
      const taskId = tasks.start('import', null, async (context) => {
        let isKept = false
        try {
          const stream = await upload.content(context.signal)
          const { slug } = await artifacts.import({ stream, bytes }, { label }, context)
          isKept = true
          context.named(slug)
          return `Imported ${slug}.`
        } finally {
          upload.settle(isKept)
        }
      })
      return { taskId, url: upload.url }
    },
    'artifact:push': (args) =>
      started(
        tasks.start('push', args.slug, async (context) => {
          const { reference } = await artifacts.push(args, context)
          return `Pushed ${args.slug} to ${reference}.`
        }),
        args.slug,
      ),
    'artifact:pull': (args) =>
      started(
        tasks.start('pull', null, async (context) => {
          const { slug } = await artifacts.pull(args, context)
          context.named(slug)
          return `Pulled ${slug}.`
        }),
        null,
      ),
    'space:usage': () => artifacts.usage(signal),
    'space:prune': ({ dryRun }) => (dryRun ? artifacts.prune({ dryRun }, quiet) : prune(artifacts, tasks)),
  }
}

async function verify(
  artifacts: Artifacts,
  target: ParsedArgs<'snapshot:verify'>,
  context: TaskContext,
): Promise<string> {
  const { verified } = await artifacts.verify(target, context)
  if (verified?.outcome === 'failed') {
    throw bottleError('verify-failed', `${target.slug}@${target.snapshot} did not pass: ${verified.detail}`, {
      slug: target.slug,
    })
  }
  return `Verified ${target.slug}. ${verified?.detail ?? ''}`.trim()
}

async function exportFile(
  artifacts: Artifacts,
  transfers: Transfers,
  { slug, snapshot, compression, thin, scrub }: ParsedArgs<'artifact:export'>,
  taskId: () => string,
  context: TaskContext,
): Promise<string> {
  const file = await (await transfers.cache()).newFile()
  try {
    const done = await artifacts.export({ slug, snapshot, compression, thin, scrub }, { file }, context)
    const fileName = `${slug}-${done.snapshot}${thin ? '-thin' : ''}.bottle`
    const downloads = await transfers.downloads()
    downloads.add(taskId(), { file, fileName, bytes: done.bytes })
    return `Exported ${slug}.`
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}

/** Has a result of its own, so the page waits for it; it shows as a task like the others. */
function prune(artifacts: Artifacts, tasks: TaskQueue) {
  return new Promise<Awaited<ReturnType<Artifacts['prune']>>>((resolve, reject) => {
    tasks.start('prune', null, async (context) => {
      try {
        const done = await artifacts.prune(
          { dryRun: false },
          { ...context, confirm: () => Promise.resolve(true) },
        )
        resolve(done)
        const count = done.snapshots.length
        return `Moved ${count} ${count === 1 ? 'snapshot' : 'snapshots'} to the trash.`
      } catch (error) {
        reject(error)
        throw error
      }
    })
  })
}
