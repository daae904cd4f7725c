import { useEffect, useState } from 'react'
import { useApp } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { Switch } from '../ui/pieces.tsx'
import { Group, Line, useSave } from './setting-lines.tsx'

/** The numbers of the group with the bounds that the core sets. */
const NUMBERS = [
  ['retentionLast', 1, 10_000],
  ['retentionHourly', 0, 10_000],
  ['retentionDaily', 0, 10_000],
  ['retentionWeekly', 0, 10_000],
  ['minFreeMB', 0, 1_000_000],
] as const
type NumberName = (typeof NUMBERS)[number][0]

/** How many snapshots stay, whether that is done by itself, and how much of the disk stays free. */
export function KeepGroup() {
  const { bridge } = useApp()
  const save = useSave()
  const [settings, setSettings] = useState<Readonly<Record<string, unknown>> | null>(null)
  useEffect(() => {
    let isOver = false
    void bridge.call('settings:get', {}).then((result) => {
      if (!isOver && result.ok) setSettings(result.value)
    })
    return () => {
      isOver = true
    }
  }, [bridge])
  const change = async (key: string, value: unknown) => {
    const before = settings
    setSettings((now) => ({ ...now, [key]: value }))
    if (!(await save(key, value))) setSettings(before)
  }
  if (!settings) return null
  return (
    <Group title={t.settings.keep}>
      {NUMBERS.map(([name, min, max]) => (
        <Line key={name} label={t.settings.keeps[name]}>
          <NumberField
            // A refused value goes back to what is stored.
            key={String(settings[name])}
            name={name}
            min={min}
            max={max}
            value={Number(settings[name] ?? min)}
            onChange={(value) => void change(name, value)}
          />
        </Line>
      ))}
      <Line label={t.settings.autoThin}>
        <Switch
          label={t.settings.autoThinOn}
          isOn={settings.autoThin === true}
          onChange={(isOn) => void change('autoThin', isOn)}
        />
      </Line>
    </Group>
  )
}

/** Saved when it is left or Enter is pressed, so that no half-typed number counts. */
function NumberField(props: {
  readonly name: NumberName
  readonly min: number
  readonly max: number
  readonly value: number
  readonly onChange: (value: number) => void
}) {
  const [text, setText] = useState(String(props.value))
  const settle = () => {
    const typed = /^\d{1,9}$/.test(text.trim()) ? Number(text) : props.value
    const value = Math.min(props.max, Math.max(props.min, typed))
    setText(String(value))
    if (value !== props.value) props.onChange(value)
  }
  return (
    <input
      className="input number-input number"
      inputMode="numeric"
      aria-label={t.settings.keeps[props.name]}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={settle}
      onKeyDown={(event) => event.key === 'Enter' && settle()}
    />
  )
}
