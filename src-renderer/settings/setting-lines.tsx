import type { ReactNode } from 'react'
import { useApp } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { Switch } from '../ui/pieces.tsx'

/** Saves one setting; a failure is told by a toast. True when it was saved. */
export function useSave() {
  const { bridge, toasts } = useApp()
  return async (key: string, value: unknown) => {
    const result = await bridge.call('settings:set', { key, value })
    if (!result.ok) {
      toasts.add({
        tone: 'bad',
        title: t.settings.failed,
        text: result.error.message,
        detail: result.error.detail ?? null,
        actions: [],
      })
    }
    return result.ok
  }
}

/** Settings that belong together, under a heading. */
export function Group({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="settings-group">
      <h2>{title}</h2>
      <div className="settings-lines">{children}</div>
    </section>
  )
}

/** One setting: its name and its control. */
export function Line({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div className="settings-line">
      <span>{label}</span>
      <div className="settings-value">{children}</div>
    </div>
  )
}

/** One setting that is on or off. */
export function SwitchLine(props: {
  readonly label: string
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
}) {
  return (
    <Line label={props.label}>
      <Switch isBare {...props} />
    </Line>
  )
}
