import { t } from '../ui/en.ts'
import { NumberField } from './number-field.tsx'
import { Group, Line, SwitchLine } from './setting-lines.tsx'
import type { StoredSettings } from './use-settings.ts'

/** The numbers of the group with the bounds that the core sets. */
const NUMBERS = [
  ['retentionLast', 1, 10_000],
  ['retentionHourly', 0, 10_000],
  ['retentionDaily', 0, 10_000],
  ['retentionWeekly', 0, 10_000],
  ['minFreeMB', 0, 1_000_000],
  ['dragCacheMB', 0, 1_000_000],
] as const

/** How many snapshots stay, whether that is done by itself, and how much of the disk stays free. */
export function KeepGroup({ values, change }: StoredSettings) {
  if (!values) return null
  return (
    <Group title={t.settings.keep}>
      {NUMBERS.map(([name, min, max]) => (
        <Line key={name} label={t.settings.keeps[name]}>
          <NumberField
            // A refused value goes back to what is stored.
            key={String(values[name])}
            label={t.settings.keeps[name]}
            min={min}
            max={max}
            value={Number(values[name] ?? min)}
            onChange={(value) => void change(name, value)}
          />
        </Line>
      ))}
      <SwitchLine
        label={t.settings.autoThin}
        isOn={values.autoThin === true}
        onChange={(isOn) => void change('autoThin', isOn)}
      />
    </Group>
  )
}
