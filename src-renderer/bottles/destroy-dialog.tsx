import { useEffect, useState } from 'react'
import { useApp, useChangeView, useModel } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { age, bytes } from '../ui/format.ts'
import { canFreeze } from './bottle-verbs.ts'

const SHOWN = 5

/** Asks before destroying: what it is, how big, when last frozen. The default keeps the newest work. */
export function DestroyDialog({ slugs }: { readonly slugs: readonly string[] }) {
  const app = useApp()
  const change = useChangeView()
  const byName = useModel((model) => model.bottles)
  const [now] = useState(Date.now)
  const days = useTrashDays()
  const bottles = slugs.flatMap((slug) => byName.get(slug) ?? [])
  const close = () => change({ overlay: null })
  const hasWork = bottles.some(canFreeze)
  const destroy = (isFreezeFirst: boolean) => {
    app.view.update((view) => ({ ...view, overlay: null, selected: new Set() }))
    for (const bottle of bottles) {
      void app.operations.destroy(bottle.slug, { isFreezeFirst: isFreezeFirst && canFreeze(bottle) })
    }
  }
  return (
    <Dialog
      isAlert
      title={t.destroy.title(slugs)}
      onClose={close}
      footer={
        <>
          <Button onClick={close}>{t.action.cancel}</Button>
          <span className="room" />
          <Button
            kind={hasWork ? 'plain' : 'danger'}
            className={hasWork ? 'danger-word' : ''}
            autoFocus={!hasWork}
            onClick={() => destroy(false)}
          >
            {t.destroy.only}
          </Button>
          {hasWork && (
            <Button kind="primary" icon="snow" autoFocus onClick={() => destroy(true)}>
              {t.destroy.freezeFirst}
            </Button>
          )}
        </>
      }
    >
      <ul className="destroy-list">
        {bottles.slice(0, SHOWN).map((bottle) => (
          <li key={bottle.slug}>
            <strong className="one-line">{bottle.slug}</strong>
            <span className="soft number">
              {t.destroy.size} {bottle.bytes === null ? '–' : bytes(bottle.bytes)}
            </span>
            <span className="soft number">
              {t.destroy.lastFreeze} {bottle.lastFrozenAt ? age(bottle.lastFrozenAt, now) : t.list.never}
            </span>
          </li>
        ))}
        {bottles.length > SHOWN && <li className="soft">{t.destroy.andMore(bottles.length - SHOWN)}</li>}
      </ul>
      <p>{t.destroy.text(days)}</p>
      {hasWork && <p className="soft">{t.destroy.unfrozen}</p>}
    </Dialog>
  )
}

/** How long the trash keeps things, as set; seven days until the answer is there. */
export function useTrashDays(): number {
  const { bridge } = useApp()
  const [days, setDays] = useState(7)
  useEffect(() => {
    let isOver = false
    void bridge.call('settings:get', {}).then((result) => {
      const value = result.ok ? result.value.trashDays : undefined
      if (!isOver && typeof value === 'number') setDays(value)
    })
    return () => {
      isOver = true
    }
  }, [bridge])
  return days
}
