import type { SpaceUsage } from '../../../src-preload/contract/artifacts.ts'
import type { Face } from '../face.ts'
import { formatPairs } from '../pairs.ts'
import { withIcebox } from '../session.ts'
import { formatTable } from '../table.ts'
import { formatBytes } from '../units.ts'

/** `icebox du`: what each snapshot weighs, what deleting it frees, and all of it together. */
export async function du(face: Face): Promise<number> {
  const usage = await withIcebox(face, ({ artifacts }) => artifacts.usage(face.signal))
  if (!face.json) for (const notice of usage.notices) await face.warn(notice)
  await face.result({ json: usage, text: usageText(face, usage), essential: String(usage.snapshotBytes) })
  return 0
}

/** The table and the sums for a person. */
export function usageText(face: Pick<Face, 'paint' | 'stdout'>, usage: SpaceUsage): string {
  const { paint } = face
  const table = formatTable(
    usage.snapshots,
    [
      { title: 'SNAPSHOT', cell: ({ slug, id }) => ({ text: `${slug}@${id}`, colour: 'bold' }) },
      { title: 'SIZE', cell: ({ bytes }) => formatBytes(bytes), align: 'right' },
      { title: 'SHARED', cell: ({ sharedBytes }) => formatBytes(sharedBytes), align: 'right' },
      { title: 'DELETING FREES', cell: ({ uniqueBytes }) => formatBytes(uniqueBytes), align: 'right' },
    ],
    { width: face.stdout.width, paint },
  )
  const unused = usage.storeUnusedBytes > 0 ? `, ${formatBytes(usage.storeUnusedBytes)} of it not needed` : ''
  const sums = formatPairs(
    [
      ['Snapshots', `${formatBytes(usage.snapshotBytes)}, shared parts counted once`],
      ['Portable copies', usage.storeBytes > 0 ? `${formatBytes(usage.storeBytes)}${unused}` : '0 B'],
      ['Trash', formatBytes(usage.trashBytes)],
      ['Free', formatBytes(usage.freeBytes)],
    ],
    paint,
  )
  return usage.snapshots.length > 0 ? `${table}\n\n${sums}` : sums
}
