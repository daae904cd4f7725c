/** One item of a menu as a person sees it. */
export interface ShownItem {
  readonly label: string
  readonly type: string
  readonly role: string | null
  readonly enabled: boolean
  readonly visible: boolean
  readonly checked: boolean
  readonly accelerator: string | null
  readonly items: readonly ShownItem[]
}

export interface ShownNotification {
  readonly id: number
  readonly title: string
  readonly body: string
  readonly actions: readonly string[]
  readonly isClosed: boolean
}

export interface ShownWindow {
  readonly id: number
  readonly url: string
  readonly title: string
  readonly isVisible: boolean
  readonly isFocused: boolean
  readonly isMinimized: boolean
  readonly isMaximized: boolean
  readonly isFullScreen: boolean
  readonly bounds: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  /** As last set; null when it never was. */
  readonly progress: number | null
  readonly preferences: Readonly<Record<string, unknown>>
}

export interface AskedDialog {
  readonly kind: 'message' | 'open' | 'save'
  readonly message: string
  readonly detail: string
  readonly buttons: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly isAnswered: boolean
}

/** What the app has done to the system around it, from its start on. */
export interface Records {
  readonly windows: readonly ShownWindow[]
  /** Null while there is no tray. */
  readonly tray: {
    /** Changes when another image is shown. */
    readonly icon: string
    readonly isTemplate: boolean
    readonly tooltip: string
    readonly title: string
    /** How often a menu was set. */
    readonly menus: number
  } | null
  readonly notifications: readonly ShownNotification[]
  readonly dialogs: readonly AskedDialog[]
  readonly errors: readonly { readonly title: string; readonly content: string }[]
  /** Addresses given to the system's browser. */
  readonly opened: readonly string[]
  /** Files shown in the system's file manager. */
  readonly revealed: readonly string[]
  readonly drags: readonly {
    readonly files: readonly string[]
    readonly icon: { readonly width: number; readonly height: number }
  }[]
  /** Drags that the system would have refused, with the reason. */
  readonly refusedDrags: readonly string[]
  readonly badge: string
  readonly loginItem: Readonly<Record<string, unknown>> | null
  readonly schemes: readonly string[]
  readonly shortcuts: readonly string[]
  /** Kinds of the power-save blockers that are on. */
  readonly blockers: readonly string[]
}

export type DialogAnswer =
  /** A button by its label. */
  | { readonly button: string; readonly isChecked?: boolean }
  /** Files picked, or the place to save to; null: cancelled. */
  | { readonly paths: readonly string[] | null }

export type PowerEvent =
  | 'suspend'
  | 'resume'
  | 'on-ac'
  | 'on-battery'
  | 'shutdown'
  | 'lock-screen'
  | 'unlock-screen'

/** What a test asks of the app's main process. */
export type DriverRequest =
  | { readonly do: 'records' }
  | { readonly do: 'menu'; readonly of: 'tray' | 'dock' | 'app' }
  | { readonly do: 'click'; readonly of: 'tray' | 'dock' | 'app'; readonly path: readonly string[] }
  | { readonly do: 'click-tray-icon' }
  | { readonly do: 'answer'; readonly answer: DialogAnswer }
  | { readonly do: 'power'; readonly event: PowerEvent }
  | { readonly do: 'notification'; readonly id: number; readonly action: 'click' | 'close' | number }
  | { readonly do: 'app-event'; readonly event: 'open-url' | 'open-file'; readonly value: string }
  | { readonly do: 'activate' }
  | { readonly do: 'shortcut'; readonly accelerator: string }
  | { readonly do: 'close-window' }
  | { readonly do: 'quit' }
  | { readonly do: 'evaluate'; readonly code: string; readonly argument: unknown }
