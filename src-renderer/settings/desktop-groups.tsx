import { chordText } from '../palette/keys.ts'
import { useModel } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { Segmented } from '../ui/pieces.tsx'
import { NumberField } from './number-field.tsx'
import { Group, Line, SwitchLine } from './setting-lines.tsx'
import type { StoredSettings } from './use-settings.ts'

const words = t.desktop.settings
const NOTICES = ['all', 'attention', 'none'] as const
const QUITS = ['ask', 'leave', 'freeze'] as const
const CHORDS = ['none', 'mod+alt+i', 'mod+alt+b', 'mod+shift+space'] as const
const FREEZES = ['freezeOnSleep', 'freezeOnShutdown', 'freezeOnLowBattery'] as const

/** What only the desktop app does: in the background, at its end, and before the machine stops. */
export function DesktopGroups(settings: StoredSettings) {
  if (!settings.values) return null
  return (
    <>
      <BackgroundGroup {...settings} />
      <EndGroup {...settings} />
    </>
  )
}

function BackgroundGroup({ values, change }: StoredSettings) {
  const isMac = useModel((model) => model.platform === 'darwin')
  return (
    <Group title={words.background}>
      <SwitchLine
        label={words.login}
        isOn={values?.launchAtLogin === true}
        onChange={(isOn) => void change('launchAtLogin', isOn)}
      />
      {/* On a Mac an app stays when its window is closed. */}
      {!isMac && (
        <SwitchLine
          label={words.close}
          isOn={values?.closeToTray === true}
          onChange={(isOn) => void change('closeToTray', isOn)}
        />
      )}
      <Line label={words.notices}>
        <Segmented
          label={words.notices}
          value={textOf(values?.notifications)}
          onChange={(next) => void change('notifications', next)}
          options={NOTICES.map((value) => ({ value, label: words.noticesFor[value] }))}
        />
      </Line>
      <Line label={words.shortcut}>
        <select
          className="select"
          aria-label={words.shortcut}
          value={textOf(values?.globalShortcut)}
          onChange={(event) => void change('globalShortcut', event.target.value)}
        >
          {CHORDS.map((chord) => (
            <option key={chord} value={chord}>
              {chord === 'none' ? words.noShortcut : chordText(chord)}
            </option>
          ))}
        </select>
      </Line>
    </Group>
  )
}

function EndGroup({ values, change }: StoredSettings) {
  return (
    <Group title={words.end}>
      <Line label={words.quit}>
        <Segmented
          label={words.quit}
          value={textOf(values?.quitWithRunning)}
          onChange={(next) => void change('quitWithRunning', next)}
          options={QUITS.map((value) => ({ value, label: words.quitBy[value] }))}
        />
      </Line>
      {FREEZES.map((name) => (
        <SwitchLine
          key={name}
          label={words.freeze[name]}
          isOn={values?.[name] === true}
          onChange={(isOn) => void change(name, isOn)}
        />
      ))}
      {values?.freezeOnLowBattery === true && (
        <Line label={words.battery}>
          <NumberField
            // A refused value goes back to what is stored.
            key={String(values.lowBatteryPercent)}
            label={words.battery}
            min={2}
            max={50}
            value={Number(values.lowBatteryPercent ?? 10)}
            onChange={(value) => void change('lowBatteryPercent', value)}
          />
        </Line>
      )}
    </Group>
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
