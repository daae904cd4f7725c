import { randomBytes } from 'node:crypto'
import { readLaunched } from '../agents/launched-agent.ts'
import { readScreen } from '../agents/observe/screen-signs.ts'
import { typeAndSubmit } from '../agents/startup/type-text.ts'
import { INBOX } from '../agents/turns/turns-command.ts'
import { MESSAGE_END } from '../agents/turns/turns-script.ts'
import type { AgentAccess } from '../backends/agent-access.ts'
import type { RuntimeRef } from '../backends/backend.ts'
import { appendJournal } from '../state/journal.ts'
import { latestRun, requireMetadata } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { readRuntime } from './read-bottles.ts'

/** Bytes of one text: an agent gets it as one argument or one paste. */
const TEXT_MAX = 120_000

export interface SendOptions {
  /** Type it whatever the agent does at the moment. */
  readonly now?: boolean | undefined
}

/**
 * Gives a running agent something to do: typed into its terminal while it waits, or put into the inbox of one that takes
 * turns, which gets to it after the present one.
 * @throws BottleError `not-found` for an agent that does not run, `busy` for one that works or asks, `unsupported`
 *   for one that reads nothing, `usage` for a text that can't be passed
 */
export async function sendText(
  deps: BottleDeps,
  slug: string,
  text: string,
  options: SendOptions,
  signal: AbortSignal,
): Promise<void> {
  requireText(text)
  const metadata = await requireMetadata(deps.root, requireSlug(slug))
  const fact = await readRuntime(deps, slug, metadata.backend, signal)
  const backend = await deps.backends.get(metadata.backend)
  const ref = fact?.state === 'running' ? await ownedRuntime(deps, slug, backend, signal) : null
  const run = latestRun(metadata)
  if (!ref || !run) {
    const why = fact?.state === 'paused' ? 'is paused' : 'does not run'
    throw bottleError('not-found', `The agent of ${slug} ${why}. icebox resume ${slug} starts it again.`, {
      slug,
    })
  }
  const launched = await readLaunched(deps.root, slug, run.id)
  const isTurns = launched?.lifecycle.runtime === 'turns'
  if (!backend.access || !(isTurns || run.interactive)) {
    const why = run.interactive
      ? `Nothing can be typed on ${backend.name} yet.`
      : 'It runs headless on one prompt.'
    throw bottleError('unsupported', `The agent of ${slug} reads nothing. ${why}`, { slug })
  }
  const access = await backend.access()
  if (isTurns) await intoInbox(access, ref, text, signal)
  else await intoTerminal(access, ref, text, options.now === true, signal)
  const how = isTurns ? 'A message was put into the inbox.' : 'A message was typed.'
  await appendJournal(deps.root, slug, { op: 'send', outcome: 'done', message: how })
}

function requireText(text: string): void {
  if (text.trim() === '') throw bottleError('usage', 'There is nothing to send.')
  if (text.includes('\0'))
    throw bottleError('usage', 'The text holds a NUL character, which no program can take.')
  const bytes = Buffer.byteLength(text)
  if (bytes <= TEXT_MAX) return
  throw bottleError(
    'usage',
    `The text is ${Math.ceil(bytes / 1000)} kB; at most ${TEXT_MAX / 1000} kB can be sent. ` +
      'Put it into a file of the workspace and name that file.',
  )
}

/** Names sort as they were sent; the last line tells the runner that all of it is there. */
async function intoInbox(
  access: AgentAccess,
  ref: RuntimeRef,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const name = `${String(Date.now()).padStart(15, '0')}-${randomBytes(4).toString('hex')}.msg`
  const file = { base: 'home', path: `${INBOX}/${name}` } as const
  await access.write(ref, file, Buffer.from(`${text}\n${MESSAGE_END}\n`), signal)
}

async function intoTerminal(
  access: AgentAccess,
  ref: RuntimeRef,
  text: string,
  isNow: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { slug } = ref
  const screen = await access.screen(ref, signal)
  if (!screen) throw bottleError('not-found', `The agent of ${slug} has ended.`, { slug })
  const { isWorking, question, unsent } = readScreen(screen.lines)
  const busy = (why: string) =>
    bottleError(
      'busy',
      `${slug} ${why}. Type it all the same with --now, or see it with icebox attach ${slug}.`,
      {
        slug,
      },
    )
  if (!isNow) {
    if (question !== null) throw busy(`asks: ${question}`)
    if (isWorking) throw busy('works')
    if (unsent !== null) throw busy('has something in its input line that somebody did not send')
  }
  await typeAndSubmit(access, ref, text, signal)
}
