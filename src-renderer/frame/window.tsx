import { AgentsScreen } from '../agents/agents-screen.tsx'
import { DeleteSnapshotDialog } from '../artifacts/delete-snapshot-dialog.tsx'
import { DropZone } from '../artifacts/drop-zone.tsx'
import { ExportDialog } from '../artifacts/export-dialog.tsx'
import { ImportSheet } from '../artifacts/import-sheet.tsx'
import { PullDialog, PushDialog } from '../artifacts/reference-dialogs.tsx'
import { SecretsDialog } from '../artifacts/secrets-dialog.tsx'
import { BottlesScreen } from '../bottles/bottles-screen.tsx'
import { DestroyDialog } from '../bottles/destroy-dialog.tsx'
import { ElsewhereDialog } from '../bottles/elsewhere-dialog.tsx'
import { ForkDialog } from '../bottles/fork-dialog.tsx'
import { FreezeDialog } from '../bottles/freeze-dialog.tsx'
import { NewBottleSheet } from '../bottles/new-bottle-sheet.tsx'
import { FileDiffDialog } from '../changes/file-diff-dialog.tsx'
import { EnginesScreen } from '../engines/engines-screen.tsx'
import { Palette } from '../palette/palette.tsx'
import { ShortcutSheet } from '../palette/shortcut-sheet.tsx'
import { useShortcuts } from '../palette/use-shortcuts.ts'
import { SettingsScreen } from '../settings/settings-screen.tsx'
import { TrashScreen } from '../settings/trash-screen.tsx'
import { SpaceScreen } from '../space/space-screen.tsx'
import { ThinDialog } from '../space/thin-dialog.tsx'
import { useApp, useModel, useView } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { ActivityScreen } from '../tasks/activity-screen.tsx'
import { Questions } from '../tasks/question-dialog.tsx'
import { Toasts } from '../tasks/toasts.tsx'
import { Blank } from '../ui/blank.tsx'
import { t } from '../ui/en.ts'
import { Banners } from './banners.tsx'
import { usePageCommands } from './page-commands.ts'
import { Sidebar } from './sidebar.tsx'
import { StatusBar } from './status-bar.tsx'

/** The whole window. */
export function Window() {
  const { link } = useApp()
  const isStale = useStore(link, (now) => !now.isConnected)
  useShortcuts()
  usePageCommands()
  return (
    <>
      <div className="window">
        <Sidebar />
        <div className="centre" data-stale={isStale || undefined}>
          <Banners />
          <Screen />
        </div>
        <StatusBar />
      </div>
      <Toasts />
      <Overlays />
      <Questions />
      <DropZone />
    </>
  )
}

function Screen() {
  const { link } = useApp()
  const section = useView((view) => view.section)
  const isLoaded = useModel((model) => model.isLoaded)
  const failure = useStore(link, (now) => now.failure)
  if (!isLoaded) {
    return (
      <main className="waiting-screen">
        {failure ? (
          <Blank icon="warning" title={t.status.offline} text={failure.message} />
        ) : (
          <p className="faint late">{t.loading}</p>
        )}
      </main>
    )
  }
  switch (section) {
    case 'bottles':
      return <BottlesScreen />
    case 'agents':
      return <AgentsScreen />
    case 'engines':
      return <EnginesScreen />
    case 'activity':
      return <ActivityScreen />
    case 'space':
      return <SpaceScreen />
    case 'trash':
      return <TrashScreen />
    case 'settings':
      return <SettingsScreen />
  }
}

function Overlays() {
  const overlay = useView((view) => view.overlay)
  switch (overlay?.kind) {
    case 'new':
      return <NewBottleSheet />
    case 'destroy':
      return <DestroyDialog slugs={overlay.slugs} />
    case 'fork':
      return <ForkDialog slug={overlay.slug} snapshot={overlay.snapshot} />
    case 'elsewhere':
      return <ElsewhereDialog slug={overlay.slug} snapshot={overlay.snapshot} />
    case 'freeze':
      return <FreezeDialog slug={overlay.slug} />
    case 'export':
      return <ExportDialog slug={overlay.slug} snapshot={overlay.snapshot} />
    case 'push':
      return <PushDialog slug={overlay.slug} snapshot={overlay.snapshot} />
    case 'pull':
      return <PullDialog />
    case 'imports':
      return <ImportSheet files={overlay.files} />
    case 'secrets':
      return <SecretsDialog outgoing={overlay.outgoing} findings={overlay.findings} />
    case 'delete-snapshot':
      return <DeleteSnapshotDialog slug={overlay.slug} snapshot={overlay.snapshot} />
    case 'file-diff':
      return <FileDiffDialog comparison={overlay.comparison} path={overlay.path} />
    case 'thin':
      return <ThinDialog />
    case 'palette':
      return <Palette />
    case 'shortcuts':
      return <ShortcutSheet />
    case undefined:
      return null
  }
}
