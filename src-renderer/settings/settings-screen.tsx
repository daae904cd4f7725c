import { type Theme, useApp, useModel } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { bytes } from '../ui/format.ts'
import { Page } from '../ui/page.tsx'
import { CopyButton, Segmented } from '../ui/pieces.tsx'
import { DesktopGroups } from './desktop-groups.tsx'
import { KeepGroup } from './keep-group.tsx'
import { Group, Line, useSave } from './setting-lines.tsx'
import { type StoredSettings, useSettings } from './use-settings.ts'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']

/** What can be set, and what this Icebox is. Changes are saved at once. */
export function SettingsScreen() {
  const app = useApp()
  const { theme } = useStore(app.settings, (settings) => settings)
  const home = useModel((model) => model.home)
  const version = useModel((model) => model.version)
  const disk = useModel((model) => model.disk)
  const save = useSave()
  const settings = useSettings()
  const { desktop } = app.bridge
  return (
    <Page title={t.section.settings}>
      <Group title={t.settings.look}>
        <Line label={t.settings.theme}>
          <Segmented
            label={t.settings.theme}
            value={theme}
            onChange={(next) => {
              app.settings.set({ theme: next })
              void save('theme', next)
            }}
            options={THEMES.map((value) => ({ value, label: t.settings.themes[value] }))}
          />
        </Line>
      </Group>
      {desktop && <DesktopGroups {...settings} />}
      <Group title={t.settings.trash}>
        <TrashDays {...settings} />
      </Group>
      <KeepGroup {...settings} />
      <Group title={t.settings.about}>
        <Line label={t.settings.version}>
          <span className="number selectable">{version || '–'}</span>
          {desktop && (
            <Button onClick={() => desktop.ask('check-updates')}>{t.desktop.settings.check}</Button>
          )}
        </Line>
        {desktop && (
          <Line label={t.desktop.settings.command}>
            <Button onClick={() => desktop.ask('install-command')}>{t.desktop.settings.install}</Button>
          </Line>
        )}
        <Line label={t.settings.home}>
          <span className="path selectable" title={home}>
            {home}
          </span>
          <CopyButton text={home} />
        </Line>
        {disk && (
          <Line label={t.settings.disk}>
            <span className="number">{t.status.disk(bytes(disk.freeBytes), bytes(disk.snapshotBytes))}</span>
          </Line>
        )}
      </Group>
    </Page>
  )
}

const DAYS = ['1', '7', '30', '90'] as const

function TrashDays({ values, change }: StoredSettings) {
  const days = typeof values?.trashDays === 'number' ? String(values.trashDays) : ''
  const options = [...new Set([...DAYS, ...(days ? [days] : [])])].sort((a, b) => Number(a) - Number(b))
  return (
    <Line label={t.settings.trashDays}>
      <Segmented
        label={t.settings.trashDays}
        value={days}
        onChange={(next) => void change('trashDays', Number(next))}
        options={options.map((value) => ({ value, label: value }))}
      />
    </Line>
  )
}
