import { useState } from 'react'
import { useApp } from '../state/app.ts'
import { t } from '../ui/en.ts'

/** Asks every engine again how it is; the answers arrive in the model, a failure as a toast. */
export function useEngineCheck(): { readonly isChecking: boolean; readonly check: () => Promise<void> } {
  const { bridge, model, toasts } = useApp()
  const [isChecking, setChecking] = useState(false)
  const check = async () => {
    setChecking(true)
    const result = await bridge.call('engine:probe', {})
    setChecking(false)
    if (result.ok) model.update((now) => ({ ...now, engines: result.value }))
    else
      toasts.add({
        tone: 'bad',
        title: t.engines.failed,
        text: result.error.message,
        detail: result.error.detail ?? null,
        actions: [],
      })
  }
  return { isChecking, check }
}
