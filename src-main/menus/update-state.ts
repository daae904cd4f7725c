/** Why this app does not look for updates. */
export type UpdatesOff = 'development' | 'no-source' | 'package'

export type UpdateState =
  | { readonly is: 'off'; readonly why: UpdatesOff }
  | { readonly is: 'idle' }
  | { readonly is: 'checking' }
  | { readonly is: 'loading'; readonly version: string; readonly percent: number }
  | { readonly is: 'ready'; readonly version: string }
  | { readonly is: 'failed'; readonly reason: string }

export type UpdateEvent =
  | { readonly event: 'check' }
  | { readonly event: 'none' }
  | { readonly event: 'found'; readonly version: string }
  | { readonly event: 'progress'; readonly percent: number }
  | { readonly event: 'loaded'; readonly version: string }
  | { readonly event: 'failed'; readonly reason: string }

export interface UpdateFacts {
  readonly isPackaged: boolean
  /** True when the build names where updates come from. */
  readonly hasSource: boolean
  readonly platform: NodeJS.Platform
  /** True for an AppImage, which can replace itself; other packages belong to the system's package manager. */
  readonly isAppImage: boolean
}

/** The state at the start. Pure. */
export function firstUpdateState(facts: UpdateFacts): UpdateState {
  if (!facts.isPackaged) return { is: 'off', why: 'development' }
  if (facts.platform === 'linux' && !facts.isAppImage) return { is: 'off', why: 'package' }
  return facts.hasSource ? { is: 'idle' } : { is: 'off', why: 'no-source' }
}

/** True when looking for an update makes sense: nobody looks, loads, or has one already. Pure. */
export function mayCheck(state: UpdateState): boolean {
  return state.is === 'idle' || state.is === 'failed'
}

/** The state after an event; one that does not fit, since it comes late, changes nothing. Pure. */
export function afterUpdateEvent(state: UpdateState, happened: UpdateEvent): UpdateState {
  switch (happened.event) {
    case 'check':
      return mayCheck(state) ? { is: 'checking' } : state
    case 'none':
      return state.is === 'checking' ? { is: 'idle' } : state
    case 'found':
      return state.is === 'checking' ? { is: 'loading', version: happened.version, percent: 0 } : state
    case 'progress':
      return state.is === 'loading' ? { ...state, percent: Math.round(happened.percent) } : state
    case 'loaded':
      return state.is === 'checking' || state.is === 'loading'
        ? { is: 'ready', version: happened.version }
        : state
    case 'failed':
      return state.is === 'checking' || state.is === 'loading'
        ? { is: 'failed', reason: happened.reason }
        : state
  }
}

const MINUTE = 60_000

/** Milliseconds until the next look, so spread that not everybody asks at once. `random` is from 0 to 1. Pure. */
export function untilNextCheck(isFirst: boolean, random: number): number {
  return Math.round(isFirst ? MINUTE / 2 + random * MINUTE : (6 + random) * 60 * MINUTE)
}

export interface UpdateAnswer {
  readonly message: string
  readonly detail: string
  /** True when quitting now would install it. */
  readonly canInstall: boolean
}

const OFF: Readonly<Record<UpdatesOff, string>> = {
  development: 'This Icebox runs from its sources.',
  'no-source': 'This build names no place that updates come from.',
  package: 'This Icebox was installed as a package. Your system’s package manager updates it.',
}

/** What somebody who asked is told, or null while there is nothing to tell yet. Pure. */
export function answerAboutUpdates(state: UpdateState, version: string): UpdateAnswer | null {
  const told = (message: string, detail: string, canInstall = false): UpdateAnswer => ({
    message,
    detail,
    canInstall,
  })
  switch (state.is) {
    case 'off':
      return told('Icebox does not look for updates', OFF[state.why])
    case 'checking':
      return null
    case 'idle':
      return told('Icebox is up to date', `${version} is the newest version.`)
    case 'loading':
      return told(
        `Icebox ${state.version} is being downloaded`,
        `${state.percent} % so far. It is installed when you quit Icebox.`,
      )
    case 'ready':
      return told(`Icebox ${state.version} is ready`, 'It is installed when you quit Icebox.', true)
    case 'failed':
      return told('Could not look for updates', state.reason)
  }
}
