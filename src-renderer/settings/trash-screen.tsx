import { useState } from 'react'
import type { TrashEntry } from '../../src-preload/contract/entities.ts'
import { useTrashDays } from '../bottles/destroy-dialog.tsx'
import { useApp, useModel } from '../state/app.ts'
import { Blank } from '../ui/blank.tsx'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { age, bytes, moment } from '../ui/format.ts'
import { Page } from '../ui/page.tsx'
import { useNow } from '../ui/use-now.ts'

/** Destroyed bottles and the way back. */
export function TrashScreen() {
  const trash = useModel((model) => model.trash)
  const days = useTrashDays()
  const newest = [...trash].sort((a, b) => b.destroyedAt.localeCompare(a.destroyedAt))
  return (
    <Page title={t.section.trash} lead={t.trash.lead(days)}>
      {newest.length === 0 ? (
        <Blank icon="trash" title={t.trash.none} text={t.trash.noneText} />
      ) : (
        <ul className="cards tight">
          {newest.map((entry) => (
            <TrashRow key={entry.id} entry={entry} />
          ))}
        </ul>
      )}
    </Page>
  )
}

function TrashRow({ entry }: { readonly entry: TrashEntry }) {
  const { operations } = useApp()
  const now = useNow(30_000)
  const [isBusy, setBusy] = useState(false)
  const undo = async () => {
    setBusy(true)
    await operations.undo(entry.id)
    setBusy(false)
  }
  return (
    <li className="card line-card">
      <div className="line-card-words">
        <strong className="one-line selectable">{entry.slug}</strong>
        <span className="faint one-line number" title={moment(entry.purgeAfter)}>
          {t.trash.destroyed(age(entry.destroyedAt, now))} ·{' '}
          {entry.snapshot ? t.trash.single(entry.snapshot) : t.list.snapshots(entry.snapshots)} ·{' '}
          {bytes(entry.bytes)} · {t.trash.until(moment(entry.purgeAfter))}
        </span>
      </div>
      <Button icon="undo" isBusy={isBusy} onClick={() => void undo()}>
        {t.action.putBack}
      </Button>
    </li>
  )
}
