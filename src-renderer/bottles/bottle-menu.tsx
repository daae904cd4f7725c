import { useRef } from 'react'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { useApp } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { PopMenu } from '../ui/pop-menu.tsx'
import { doingOf, verbsOf } from './bottle-verbs.ts'

/** All verbs of a bottle, beside its button or at the pointer. */
export function BottleMenu(props: {
  readonly bottle: Bottle
  readonly anchor: HTMLElement
  readonly point: { readonly x: number; readonly y: number } | null
  readonly onClose: () => void
}) {
  const app = useApp()
  const anchor = useRef<HTMLElement | null>(props.anchor)
  const spot = useRef<HTMLSpanElement>(null)
  const entries = verbsOf(app, props.bottle, doingOf(app, props.bottle.slug))
  return (
    <>
      {props.point && (
        <span ref={spot} className="menu-spot" style={{ left: props.point.x, top: props.point.y }} />
      )}
      <PopMenu
        label={t.list.rowActions(props.bottle.slug)}
        anchor={props.point ? spot : anchor}
        entries={entries}
        onClose={props.onClose}
      />
    </>
  )
}
