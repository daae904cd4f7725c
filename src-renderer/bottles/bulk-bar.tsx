import type { Bottle } from '../../src-preload/contract/entities.ts'
import { useApp, useChangeView, useView } from '../state/app.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { canFreeze, canStop, doingOf } from './bottle-verbs.ts'

const NOTHING: ReadonlySet<string> = new Set()

/** What can be done with all ticked bottles at once; there only while some are ticked. */
export function BulkBar({ bottles }: { readonly bottles: readonly Bottle[] }) {
  const app = useApp()
  const change = useChangeView()
  const selected = useView((view) => view.selected)
  const chosen = bottles.filter((bottle) => selected.has(bottle.slug))
  if (chosen.length === 0) return null
  const isFree = (bottle: Bottle) => !doingOf(app, bottle.slug)
  const freezable = chosen.filter((bottle) => canFreeze(bottle) && isFree(bottle))
  const stoppable = chosen.filter((bottle) => canStop(bottle) && isFree(bottle))
  const destroyable = chosen.filter(isFree)
  const all = (list: readonly Bottle[], act: (slug: string) => Promise<void>) => {
    for (const { slug } of list) void act(slug)
  }
  return (
    <div className="bulk" role="toolbar" aria-label={t.bulk.label}>
      <strong className="number">{t.list.selected(chosen.length)}</strong>
      <Button
        icon="snow"
        disabled={!freezable.length}
        onClick={() => all(freezable, (slug) => app.operations.freeze(slug))}
      >
        {t.bulk.freeze(freezable.length)}
      </Button>
      <Button
        icon="stop"
        disabled={!stoppable.length}
        onClick={() => all(stoppable, (slug) => app.operations.stop(slug))}
      >
        {t.bulk.stop(stoppable.length)}
      </Button>
      <Button
        icon="trash"
        className="danger-word"
        disabled={!destroyable.length}
        onClick={() =>
          change({ overlay: { kind: 'destroy', slugs: destroyable.map((bottle) => bottle.slug) } })
        }
      >
        {t.bulk.destroy(destroyable.length)}
      </Button>
      <IconButton
        icon="close"
        label={t.action.clearSelection}
        onClick={() => change({ selected: NOTHING })}
      />
    </div>
  )
}
