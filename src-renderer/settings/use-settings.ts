import { useEffect, useState } from 'react'
import { useApp } from '../state/app.ts'
import { useSave } from './setting-lines.tsx'

export interface StoredSettings {
  /** Null until they were read. */
  readonly values: Readonly<Record<string, unknown>> | null
  /** Shows the value at once and saves it; what is refused goes back to what it was. */
  readonly change: (key: string, value: unknown) => Promise<void>
}

/** The settings as they are stored, read again when the window comes to the front, since other programs write them too. */
export function useSettings(): StoredSettings {
  const { bridge } = useApp()
  const save = useSave()
  const [values, setValues] = useState<Readonly<Record<string, unknown>> | null>(null)
  useEffect(() => {
    let isOver = false
    const read = async () => {
      const result = await bridge.call('settings:get', {})
      if (!isOver && result.ok) setValues(result.value)
    }
    const onFocus = () => void read()
    void read()
    window.addEventListener('focus', onFocus)
    return () => {
      isOver = true
      window.removeEventListener('focus', onFocus)
    }
  }, [bridge])
  return {
    values,
    async change(key, value) {
      const before = values?.[key]
      setValues((now) => ({ ...now, [key]: value }))
      if (!(await save(key, value))) setValues((now) => ({ ...now, [key]: before }))
    },
  }
}
