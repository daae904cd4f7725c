import type { SecretFinding } from '../../src-preload/contract/artifacts.ts'
import type { BackendName } from '../../src-preload/contract/entities.ts'
import type { Asked, ImportedFile } from '../artifacts/file-transfer.ts'
import type { Comparison } from '../changes/diff-cache.ts'
import { createStore, type Store } from './create-store.ts'

export const SECTIONS = ['bottles', 'activity', 'agents', 'engines', 'space', 'trash', 'settings'] as const
export type Section = (typeof SECTIONS)[number]

export const LIST_TABS = ['all', 'running', 'waiting', 'frozen', 'stopped'] as const
export type ListTab = (typeof LIST_TABS)[number]

export const SORT_KEYS = [
  'state',
  'name',
  'agent',
  'model',
  'context',
  'engine',
  'snapshots',
  'size',
  'frozen',
  'started',
] as const
export type SortKey = (typeof SORT_KEYS)[number]
export interface Sort {
  readonly key: SortKey
  readonly isDescending: boolean
}

export const DETAIL_TABS = ['overview', 'terminal', 'logs', 'timeline', 'changes', 'health'] as const
export type DetailTab = (typeof DETAIL_TABS)[number]

/** What the New bottle sheet holds; kept while the sheet is closed, so that nothing typed is lost. */
export interface Draft {
  readonly agent: string
  readonly prompt: string
  readonly isInteractive: boolean
  readonly label: string
  readonly color: string
  readonly backend: BackendName | ''
  readonly bottles: readonly string[]
  readonly cwd: string
  readonly copyCwd: boolean
  readonly unenforcedEgress: boolean
  readonly allowMissingSecrets: boolean
}

export const emptyDraft: Draft = {
  agent: '',
  prompt: '',
  isInteractive: false,
  label: '',
  color: '',
  backend: '',
  bottles: [],
  cwd: '',
  copyCwd: false,
  unenforcedEgress: false,
  allowMissingSecrets: false,
}

/** The one thing that may lie over the window. */
export type Overlay =
  | { readonly kind: 'new' }
  | { readonly kind: 'destroy'; readonly slugs: readonly string[] }
  | { readonly kind: 'elsewhere'; readonly slug: string; readonly snapshot: string | null }
  | { readonly kind: 'fork'; readonly slug: string; readonly snapshot: string | null }
  | { readonly kind: 'freeze'; readonly slug: string }
  | { readonly kind: 'export'; readonly slug: string; readonly snapshot: string }
  | { readonly kind: 'push'; readonly slug: string; readonly snapshot: string }
  | { readonly kind: 'pull' }
  | { readonly kind: 'imports'; readonly files: readonly ImportedFile[] }
  | { readonly kind: 'secrets'; readonly outgoing: Asked; readonly findings: readonly SecretFinding[] }
  | { readonly kind: 'delete-snapshot'; readonly slug: string; readonly snapshot: string }
  | { readonly kind: 'file-diff'; readonly comparison: Comparison; readonly path: string }
  | { readonly kind: 'thin' }
  | { readonly kind: 'palette' }
  | { readonly kind: 'shortcuts' }

/** What the person chose to look at; nothing here lives in the core. */
export interface View {
  readonly section: Section
  readonly tab: ListTab
  readonly query: string
  readonly isSearchOpen: boolean
  readonly engine: string
  /** State, name or model of agents, or empty for all. */
  readonly agent: string
  readonly sort: Sort
  /** The bottle whose detail is shown. */
  readonly current: string | null
  readonly isDetailOpen: boolean
  readonly detailTab: DetailTab
  /** The terminal was asked for, so it takes the focus when it is there; else it leaves the focus alone. */
  readonly isTerminalWanted: boolean
  /** What the Changes tab compares; null is its own choice. */
  readonly compare: Comparison | null
  /** Bottles ticked for a bulk action. */
  readonly selected: ReadonlySet<string>
  readonly overlay: Overlay | null
  readonly draft: Draft
}

export const initialView: View = {
  section: 'bottles',
  tab: 'all',
  query: '',
  isSearchOpen: false,
  engine: '',
  agent: '',
  sort: { key: 'state', isDescending: false },
  current: null,
  isDetailOpen: true,
  detailTab: 'overview',
  isTerminalWanted: false,
  compare: null,
  selected: new Set(),
  overlay: null,
  draft: emptyDraft,
}

const MEMORY = 'icebox.view'

/** The view store; section, sort and tabs survive a reload of the page. */
export function createViewStore(storage: Storage): Store<View> {
  const store = createStore<View>({ ...initialView, ...remembered(storage) })
  store.subscribe(() => {
    const { section, tab, sort, isDetailOpen, detailTab, current } = store.get()
    storage.setItem(MEMORY, JSON.stringify({ section, tab, sort, isDetailOpen, detailTab, current }))
  })
  return store
}

function remembered(storage: Storage): Partial<View> {
  try {
    const found = JSON.parse(storage.getItem(MEMORY) ?? '{}') as Partial<View>
    const isSane =
      SECTIONS.includes(found.section ?? 'bottles') &&
      LIST_TABS.includes(found.tab ?? 'all') &&
      DETAIL_TABS.includes(found.detailTab ?? 'overview') &&
      SORT_KEYS.includes(found.sort?.key ?? 'state')
    return isSane ? found : {}
  } catch {
    // A damaged memory of the view is worth nothing; the defaults are.
    return {}
  }
}
