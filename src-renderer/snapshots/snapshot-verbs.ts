import type { Snapshot } from '../../src-preload/contract/entities.ts'
import { canResume, doingOf } from '../bottles/bottle-verbs.ts'
import type { App } from '../state/app.ts'
import type { Overlay } from '../state/view.ts'
import { t } from '../ui/en.ts'
import type { MenuEntry } from '../ui/pop-menu.tsx'

/** What can be done with a snapshot beyond resuming and forking it, in the order of its menu. */
export function snapshotVerbs(app: App, slug: string, snapshot: Snapshot): readonly MenuEntry[] {
  const { id, parent } = snapshot
  const lay = (overlay: Overlay) => app.view.update((now) => ({ ...now, overlay }))
  const compare = (from: string, to: string | null) =>
    app.view.update((now) => ({
      ...now,
      section: 'bottles',
      current: slug,
      isDetailOpen: true,
      detailTab: 'changes',
      compare: { slug, from, to },
    }))
  const bottle = app.model.get().bottles.get(slug)
  const current = bottle?.currentSnapshot ?? null
  const isReady = snapshot.status === 'ready'
  const comparisons: MenuEntry[] = []
  const offer = (entryId: string, label: string, from: string, to: string | null) =>
    comparisons.push({
      id: entryId,
      label,
      icon: 'compare',
      isDisabled: !isReady,
      run: () => compare(from, to),
    })
  offer('compareNow', t.artifact.compareNow, id, null)
  if (current !== null && current !== id) offer('compareCurrent', t.artifact.compareCurrent, id, current)
  if (parent) offer('compareBefore', t.artifact.compareBefore, parent, id)
  const elsewhere: MenuEntry[] =
    bottle && canResume(bottle)
      ? [
          {
            id: 'resumeOn',
            label: t.action.resumeOn,
            icon: 'engine',
            isDisabled: !isReady || doingOf(app, slug) !== null,
            run: () => lay({ kind: 'elsewhere', slug, snapshot: id }),
          },
        ]
      : []
  return [
    ...elsewhere,
    {
      id: 'export',
      label: t.artifact.export,
      icon: 'export',
      isDisabled: !isReady,
      run: () => lay({ kind: 'export', slug, snapshot: id }),
    },
    {
      id: 'push',
      label: t.artifact.push,
      icon: 'push',
      isDisabled: !isReady,
      run: () => lay({ kind: 'push', slug, snapshot: id }),
    },
    {
      id: 'verify',
      label: t.artifact.verify,
      icon: 'shield',
      isGroupStart: true,
      isDisabled: !isReady,
      run: () => void app.operations.verify(slug, id),
    },
    ...comparisons,
    {
      id: 'delete',
      label: t.artifact.delete,
      icon: 'trash',
      isDanger: true,
      isGroupStart: true,
      run: () => lay({ kind: 'delete-snapshot', slug, snapshot: id }),
    },
  ]
}
