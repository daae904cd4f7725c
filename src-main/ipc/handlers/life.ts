import { homedir } from 'node:os'
import { failure, type ParsedArgs } from '../../../src-preload/contract/index.ts'
import { neverStopping } from '../../bottles/confirm-stop.ts'
import type { Bottles, StartRequest } from '../../bottles/services.ts'
import { BottleError } from '../../system/bottle-error.ts'
import type { TaskContext, TaskQueue } from '../../tasks/task-queue.ts'
import type { Handlers } from '../router.ts'
import { closing, untilLaunched } from './launch-task.ts'

type LifeCall =
  | 'bottle:start'
  | 'bottle:plan'
  | 'bottle:resume'
  | 'bottle:plan-resume'
  | 'bottle:freeze'
  | 'bottle:fork'
  | 'bottle:stop'
  | 'bottle:restart'
  | 'bottle:destroy'
  | 'trash:undo'

/** The calls that change bottles: each starts a task and answers with its id. `signal` ends with the server. */
export function lifeHandlers(
  bottles: Bottles,
  tasks: TaskQueue,
  signal: AbortSignal,
): Pick<Handlers, LifeCall> {
  const started = (taskId: string, slug: string | null) => Promise.resolve({ taskId, slug })
  return {
    'bottle:plan': (args) => bottles.plan(startRequest(args), signal),
    'bottle:start': (args) =>
      started(
        tasks.start('start', null, (context) =>
          untilLaunched(
            context,
            signal,
            (operation, onLaunched) => bottles.start({ ...startRequest(args), onLaunched }, operation),
            (run) => `Started ${run.slug}.`,
          ),
        ),
        null,
      ),
    'bottle:resume': ({ slug, interactive, ...args }) =>
      started(
        tasks.start('resume', slug, (context) =>
          untilLaunched(
            context,
            signal,
            async (operation, onLaunched) => {
              const mode = await resumeMode(bottles, { slug, interactive, ...args }, operation.signal)
              return bottles.resume({ slug, mode, ...args, onLaunched }, operation)
            },
            (run) =>
              run.snapshot ? `Resumed ${slug} from ${run.snapshot}.` : `Rebuilt ${slug}: it had no snapshot.`,
          ),
        ),
        slug,
      ),
    'bottle:plan-resume': ({ interactive, ...args }) =>
      bottles.planResume({ ...args, mode: interactive ? 'interactive' : 'headless' }, signal),
    'bottle:restart': ({ slug }) =>
      started(
        tasks.start('restart', slug, (context) =>
          untilLaunched(
            context,
            signal,
            (operation, onLaunched) => bottles.restart(slug, operation, { onLaunched }),
            () => `Restarted ${slug}.`,
          ),
        ),
        slug,
      ),
    'bottle:freeze': ({ mayAsk, ...args }) =>
      started(
        tasks.start('freeze', args.slug, async (context) => {
          const { snapshot } = await bottles.freeze(
            args,
            mayAsk ? context : neverStopping(args.slug, context),
          )
          return `Froze ${args.slug} as ${snapshot.id}.`
        }),
        args.slug,
      ),
    'bottle:fork': (args) =>
      started(
        tasks.start('fork', args.slug, (context) => forkTask(bottles, args, context, signal)),
        args.slug,
      ),
    'bottle:stop': ({ slug }) =>
      started(
        tasks.start('stop', slug, async (context) =>
          closing(`Stopped ${slug}.`, await bottles.stop(slug, {}, context)),
        ),
        slug,
      ),
    'bottle:destroy': (args) =>
      started(
        // The page has asked already, with name, size and age in view.
        tasks.start('destroy', args.slug, async (context) =>
          closing(
            args.purge
              ? `Destroyed ${args.slug} for good.`
              : `Destroyed ${args.slug}. It stays in the trash.`,
            await bottles.destroy(args, {
              ...context,
              confirm: () => Promise.resolve(true),
              confirmStop: () => Promise.resolve(true),
            }),
          ),
        ),
        args.slug,
      ),
    // Short and with a result of its own, so the page waits for it; it shows as a task like the others.
    'trash:undo': ({ id }) =>
      new Promise((resolve, reject) => {
        tasks.start('undo', null, async (context) => {
          try {
            const undone = await bottles.undo(id, context)
            context.named(undone.slug)
            resolve(undone)
            return `Brought back ${undone.slug}.`
          } catch (error) {
            reject(error)
            throw error
          }
        })
      }),
  }
}

function forkTask(
  bottles: Bottles,
  args: ParsedArgs<'bottle:fork'>,
  context: TaskContext,
  signal: AbortSignal,
): Promise<string> {
  return untilLaunched(
    context,
    signal,
    async (operation, onLaunched) => {
      let missing = args.count
      const runs = await bottles.fork(
        {
          ...args,
          mode: args.prompt ? 'headless' : 'interactive',
          cwd: homedir(),
          onLaunched: (run) => {
            missing -= 1
            if (missing === 0) onLaunched(run)
          },
        },
        operation,
      )
      const first = runs[0]
      if (!first) throw new BottleError(failure('internal', `No fork of ${args.slug} was made.`))
      return first
    },
    (run) =>
      args.count === 1 ? `Forked ${args.slug} to ${run.slug}.` : `Forked ${args.slug} ${args.count} times.`,
    // A fork's task keeps the name of the bottle that was forked.
    { renames: false },
  )
}

function startRequest({ interactive, cwd, ...args }: ParsedArgs<'bottle:start'>): StartRequest {
  return { ...args, mode: interactive ? 'interactive' : 'headless', cwd: cwd ?? homedir() }
}

/** A prompt alone asks for a headless run; without one there is a person at the terminal. */
/**
 * How a resume without a word about it runs: as the bottle ran last, where that needs no prompt; else in a
 * terminal, in which the person says what to do.
 */
async function resumeMode(
  bottles: Bottles,
  args: ParsedArgs<'bottle:resume'>,
  signal: AbortSignal,
): Promise<'headless' | 'interactive'> {
  const { slug, interactive, prompt, snapshot } = args
  if (interactive !== undefined) return interactive ? 'interactive' : 'headless'
  if (prompt !== undefined) return 'headless'
  const row = (await bottles.rows([slug], signal)).get(slug)
  if (!row || row.interactive) return 'interactive'
  try {
    await bottles.planResume(
      { slug, snapshot, backend: args.backend, mode: 'headless', rebuildOk: args.rebuildOk },
      signal,
    )
    return 'headless'
  } catch {
    // Whatever stands against a headless resume, the interactive one tells its own reason.
    return 'interactive'
  }
}
