import type { Result } from './errors.ts'

/** A tab of a bottle's detail that main may ask for. */
export type BottleTab = 'overview' | 'terminal' | 'logs' | 'timeline' | 'changes' | 'health'

/** What menus, tray, dock, notifications and links ask of the page. The page ignores what makes no sense just now. */
export type PageCommand =
  | { readonly id: 'new-bottle' | 'find' | 'palette' | 'import' | 'shortcuts' | 'settings' }
  | { readonly id: 'section'; readonly section: string }
  | { readonly id: 'show-bottle'; readonly slug: string; readonly tab: BottleTab }
  /** A drag that could not begin: main knows no file for these. */
  | { readonly id: 'drag-refused'; readonly tokens: readonly string[] }
  /** On the bottle that the page shows. */
  | { readonly id: 'verb'; readonly verb: 'freeze' | 'resume' | 'fork' | 'export' | 'destroy' }

/** What only the desktop's page can do. Files and folders are named by main, the page never sees a path. */
export interface DesktopBridge {
  onCommand(listener: (command: PageCommand) => void): () => void
  /** Imports dropped or picked files (`File` objects of this page), each as a task of its own. */
  importFiles(files: readonly unknown[]): Promise<Result<{ readonly taskIds: readonly string[] }>>
  /** Asks for files with the system's dialog and imports them; no task when the person chose none. */
  pickImports(): Promise<Result<{ readonly taskIds: readonly string[] }>>
  /** Asks where to save a finished export with the system's dialog. False: the person chose no place. */
  saveExport(taskId: string): Promise<Result<{ readonly isSaved: boolean }>>
  /** Begins the system's drag of prepared artifacts. To be called in `dragstart`, after its default was prevented. */
  startDrag(tokens: readonly string[]): void
  /** Asks the app for what only a person may begin; it tells the outcome itself. */
  ask(what: DesktopRequest): void
}

/** Buttons of the page that do what items of the app's menu do. */
export const DESKTOP_REQUESTS = ['install-command', 'check-updates'] as const
export type DesktopRequest = (typeof DESKTOP_REQUESTS)[number]

/** The names that preload and main share. One word of Electron's, and nothing else, goes under each. */
export const DESKTOP_CHANNELS = {
  /** invoke: call name, arguments → Result */
  call: 'icebox:call',
  /** post: stream name, arguments, and the stream's own port */
  open: 'icebox:open',
  /** main → page: event name, payload */
  event: 'icebox:event',
  /** page → main: bytes of events that arrived, so that a page that lags is not flooded */
  seen: 'icebox:seen',
  /** main → page: PageCommand */
  command: 'icebox:command',
  /** page → main: the page listens to commands from now on */
  ready: 'icebox:ready',
  importFiles: 'icebox:import-files',
  pickImports: 'icebox:pick-imports',
  saveExport: 'icebox:save-export',
  drag: 'icebox:drag',
  /** page → main: DesktopRequest */
  ask: 'icebox:ask',
} as const

/** Page → main on a stream's port; main answers with `Uint8Array`s and one `{ end }`. */
export type StreamControl =
  | { readonly type: 'input'; readonly data: string }
  | { readonly type: 'resize'; readonly cols: number; readonly rows: number }
  | { readonly type: 'ack'; readonly bytes: number }
