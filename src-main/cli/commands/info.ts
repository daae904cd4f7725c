import type { Bottle, BottleDetail, ManifestSummary } from '../../../src-preload/contract/entities.ts'
import type { Icebox } from '../../icebox.ts'
import { isSlug, requireSlug } from '../../state/slug.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { Face } from '../face.ts'
import { formatPairs } from '../pairs.ts'
import { slugOrPick, withIcebox } from '../session.ts'
import { stateCell } from '../state-word.ts'
import { drawTree } from '../tree.ts'
import { formatAge, formatBytes, plural } from '../units.ts'
import { snapshotLabel } from './snapshots.ts'

/** `icebox info`: a bottle in full; for a name that is no bottle, the agent definition and where it comes from. */
export async function info(face: Face, name: string | undefined): Promise<number> {
  return withIcebox(face, async (icebox) => {
    const wanted = await slugOrPick(face, icebox, name)
    const bottle = isSlug(wanted) ? await detailOf(face, icebox, wanted) : null
    if (bottle) {
      await face.result({ json: bottle, text: detailText(face, bottle, Date.now()), essential: bottle.slug })
      return 0
    }
    const agent = await agentOf(face, icebox, wanted)
    if (!agent) {
      requireSlug(wanted)
      throw bottleError(
        'not-found',
        `There is no bottle and no agent ${wanted}. \`icebox list\` and \`icebox agents\` show them.`,
      )
    }
    await face.result({ json: agent, text: agentText(face, agent), essential: agent.name })
    return 0
  })
}

async function detailOf(face: Face, icebox: Icebox, slug: string): Promise<BottleDetail | null> {
  try {
    return await icebox.bottles.detail(slug, face.signal)
  } catch (thrown) {
    if (isBottleError(thrown) && thrown.code === 'not-found') return null
    throw thrown
  }
}

async function agentOf(face: Face, icebox: Icebox, name: string): Promise<ManifestSummary | undefined> {
  const { agents } = await icebox.agents.list(face.cwd)
  return agents.find((agent) => agent.name === name)
}

type Looks = Pick<Face, 'paint' | 'unicode'>

/** The row of a bottle as names and values. */
export function statusPairs(face: Looks, bottle: Bottle, now: number): (readonly [string, string])[] {
  const { text } = stateCell(bottle, face.unicode)
  return [
    ['Bottle', bottle.slug],
    ['State', bottle.stateReason ? `${text}: ${bottle.stateReason}` : text],
    ['Agent', bottle.provider ? `${bottle.agent} (${bottle.provider})` : bottle.agent],
    [
      'Backend',
      bottle.engine && bottle.engine !== bottle.backend
        ? `${bottle.backend}, ${bottle.engine}`
        : bottle.backend,
    ],
    ['Label', bottle.label === bottle.slug ? '' : bottle.label],
    ['Started', formatAge(bottle.startedAt, now)],
    [
      'Frozen',
      bottle.currentSnapshot ? `${formatAge(bottle.lastFrozenAt, now)}, ${bottle.currentSnapshot}` : 'never',
    ],
    [
      'Snapshots',
      bottle.bytes === null ? String(bottle.snapshots) : `${bottle.snapshots}, ${formatBytes(bottle.bytes)}`,
    ],
    ['Network', bottle.policy === 'default' ? '' : bottle.policy],
    ['Mind', bottle.badges.join(', ')],
  ]
}

/** A bottle in full for a person. */
export function detailText(face: Looks, bottle: BottleDetail, now: number): string {
  const head = formatPairs(
    [
      ...statusPairs(face, bottle, now),
      ['Definition', bottle.agentSource ?? ''],
      ['Bottles', bottle.bottleNames.join(', ')],
      ['Folder', bottle.cwd],
      ['Secrets', bottle.secretNames.join(', ')],
      ['Forge values', bottle.forgeEnvNames.join(', ')],
      ['Forked from', bottle.parent ?? ''],
      ['State folder', bottle.stateDir],
      ['Runtime', bottle.runtime ? runtimeText(bottle.runtime) : ''],
      ...bottle.notices.map((notice) => ['Mind', notice] as const),
    ],
    face.paint,
  )
  const runs = bottle.runs.map((run, index) => {
    const end = run.endedAt ? `exit ${run.exitCode ?? 'unknown'}` : 'not ended'
    return `  ${index + 1}  ${run.id}  ${formatAge(run.startedAt, now)}, ${end}${run.interactive ? ', interactive' : ''}`
  })
  const tree = drawTree(
    bottle.tree,
    (node) => snapshotLabel(face, node, bottle.currentSnapshot, now),
    face.unicode,
  )
  const parts = [head]
  if (runs.length > 0) parts.push(`${face.paint('dim', plural(runs.length, 'run'))}\n${runs.join('\n')}`)
  if (tree.length > 0) parts.push(`${face.paint('dim', plural(tree.length, 'snapshot'))}\n${indent(tree)}`)
  return parts.join('\n\n')
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n')
}

function agentText(face: Looks, agent: ManifestSummary): string {
  return formatPairs(
    [
      ['Agent', agent.name],
      ['Description', agent.description],
      ['Provider', agent.provider],
      ['Bottle', agent.bottle ?? ''],
      ['Backend', agent.backend ?? ''],
      ['Source', `${agent.source}, ${agent.file}`],
      ['Error', agent.problem ?? ''],
    ],
    face.paint,
  )
}

/** Some engines know a container by its name alone. */
function runtimeText({ name, id }: { readonly name: string; readonly id: string }): string {
  return id === name ? name : `${name} (${id.slice(0, 12)})`
}
