import type { PruneResult } from '../../../src-preload/contract/artifacts.ts'
import type { Done } from '../../../src-preload/contract/calls.ts'
import type { RetentionPolicy } from '../../bottles/artifact-services.ts'
import type { Icebox } from '../../icebox.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { confirm, declined } from '../ask.ts'
import { doneText } from '../done-text.ts'
import type { Face } from '../face.ts'
import { operate, withIcebox } from '../session.ts'
import { formatTable } from '../table.ts'
import { findSnapshot, parseTarget, type Target } from '../target.ts'
import { formatBytes, plural } from '../units.ts'
import { usageError, wholeNumber } from '../usage.ts'

export interface PruneFlags {
  readonly dryRun?: boolean
  readonly last?: string
  readonly hourly?: string
  readonly daily?: string
  readonly weekly?: string
  readonly yes?: boolean
}

const RULES = ['last', 'hourly', 'daily', 'weekly'] as const
const MOST = 100_000

/** `icebox prune`: by age, or the snapshots that are named. It shows what goes and asks before anything does. */
export async function prune(face: Face, given: readonly string[], flags: PruneFlags): Promise<number> {
  const targets = given.map(parseTarget)
  const policy = policyOf(flags)
  const named = targets.filter((target) => target.snapshot !== null)
  if (named.length > 0 && named.length < targets.length) {
    throw usageError('Name either bottles to thin out or snapshots (SLUG@ID) to delete, not both at once.')
  }
  if (named.length > 0 && policy) throw usageError('Named snapshots are deleted, whatever their age.')
  if (!flags.dryRun && !flags.yes && !face.canAsk) {
    throw usageError(
      'There is no terminal to ask at: say --yes to delete, or --dry-run to see what would go.',
    )
  }
  return withIcebox(face, (icebox) =>
    named.length > 0
      ? deleteNamed(face, icebox, named, flags)
      : thin(face, icebox, given.length > 0 ? targets.map(({ slug }) => slug) : undefined, policy, flags),
  )
}

function policyOf(flags: PruneFlags): RetentionPolicy | undefined {
  if (RULES.every((rule) => flags[rule] === undefined)) return undefined
  const value = (rule: (typeof RULES)[number]) => wholeNumber(`--${rule}`, flags[rule] ?? '0', 0, MOST)
  return { last: value('last'), hourly: value('hourly'), daily: value('daily'), weekly: value('weekly') }
}

async function thin(
  face: Face,
  icebox: Icebox,
  slugs: readonly string[] | undefined,
  policy: RetentionPolicy | undefined,
  flags: PruneFlags,
): Promise<number> {
  const run = (dryRun: boolean) =>
    operate(face, { yes: flags.yes }, (context) => icebox.artifacts.prune({ dryRun, slugs, policy }, context))
  if (!flags.dryRun && !flags.yes) {
    const preview = await run(true)
    if (isEmpty(preview)) return report(face, { ...preview, dryRun: false })
    await face.stderr.write(`${pruneText(face, preview)}\n`)
    if (!(await confirm(face, `${question(preview)}?`, false))) throw declined()
  }
  return report(face, await run(flags.dryRun === true))
}

const isEmpty = (result: PruneResult) => result.snapshots.length === 0 && result.storeBytes === 0

function question(preview: PruneResult): string {
  const what = [
    preview.snapshots.length > 0
      ? `move ${plural(preview.snapshots.length, 'snapshot')} to the trash (${formatBytes(preview.trashedBytes)})`
      : '',
    preview.storeBytes > 0
      ? `delete ${formatBytes(preview.storeBytes)} of portable copies that nothing needs`
      : '',
  ].filter(Boolean)
  const text = what.join(' and ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

async function report(face: Face, result: PruneResult): Promise<number> {
  if (!face.json) for (const notice of result.notices) await face.warn(notice)
  await face.result({
    json: result,
    text: pruneText(face, result),
    essential: result.snapshots.map(({ slug, id }) => `${slug}@${id}`).join('\n'),
  })
  return 0
}

function pruneText(face: Pick<Face, 'paint' | 'stdout'>, result: PruneResult): string {
  if (isEmpty(result)) return 'There is nothing to thin out.'
  const parts: string[] = []
  if (result.snapshots.length > 0) {
    parts.push(
      formatTable(
        result.snapshots,
        [
          { title: 'SNAPSHOT', cell: ({ slug, id }) => ({ text: `${slug}@${id}`, colour: 'bold' }) },
          { title: 'WHY', cell: ({ reason }) => reason, shrinkTo: 16 },
          { title: 'FREES', cell: ({ bytes }) => formatBytes(bytes), align: 'right' },
        ],
        { width: face.stdout.width, paint: face.paint },
      ),
    )
  }
  const would = result.dryRun ? 'would be' : 'were'
  const sentences = [
    result.snapshots.length > 0
      ? `${plural(result.snapshots.length, 'snapshot')} ${would} moved to the trash (${formatBytes(result.trashedBytes)}).`
      : '',
    `${formatBytes(result.freedBytes)} ${would} freed at once.`,
  ]
  parts.push(sentences.filter(Boolean).join(' '))
  return parts.join('\n')
}

async function deleteNamed(
  face: Face,
  icebox: Icebox,
  targets: readonly Target[],
  flags: PruneFlags,
): Promise<number> {
  const found = await Promise.all(
    targets.map(async (target) => findSnapshot(target, await icebox.bottles.snapshots(target.slug))),
  )
  const names = found.map(({ slug, id, pinned }) => `${slug}@${id}${pinned ? ' (pinned)' : ''}`)
  if (flags.dryRun) {
    await face.result({
      json: { dryRun: true, snapshots: found.map(({ slug, id }) => ({ slug, id })) },
      text: `These would be moved to the trash:\n${names.map((name) => `  ${name}`).join('\n')}`,
      essential: found.map(({ slug, id }) => `${slug}@${id}`).join('\n'),
    })
    return 0
  }
  const pinned = found.filter((snapshot) => snapshot.pinned)
  if (pinned.length > 0 && !face.canAsk) {
    throw bottleError(
      'busy',
      `${pinned.map(({ slug, id }) => `${slug}@${id}`).join(', ')} is pinned. \`icebox pin --off\` takes the pin away.`,
    )
  }
  // A pin is a promise: it takes a person's word, not only a flag.
  if (!flags.yes || pinned.length > 0) {
    const which = names.length === 1 ? (names[0] ?? '') : `${names.length} snapshots (${names.join(', ')})`
    if (!(await confirm(face, `Move ${which} to the trash?`, false))) throw declined()
  }
  const all: Done = { done: [], left: [], unrecoverable: [] }
  for (const { slug, id } of found) {
    const done = await operate(face, { yes: true }, (context) =>
      icebox.artifacts.deleteSnapshot({ slug, snapshot: id }, context),
    )
    for (const key of ['done', 'left', 'unrecoverable'] as const) all[key].push(...done[key])
  }
  await face.result({ json: all, text: doneText(all, face.paint) })
  return all.left.length > 0 ? 1 : 0
}
