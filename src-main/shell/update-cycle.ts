import {
  afterUpdateEvent,
  answerAboutUpdates,
  mayCheck,
  type UpdateAnswer,
  type UpdateEvent,
  type UpdateState,
  untilNextCheck,
} from '../menus/update-state.ts'

/** What looks for updates and loads them. */
export interface Updater {
  /** Ends when it is known whether there is an update; what follows is told as events. */
  check(): Promise<void>
  /** Ends the app, installs what was loaded and starts it again. */
  quitAndInstall(): void
}

export interface UpdateParts {
  readonly first: UpdateState
  readonly version: string
  /** Loads the updater, on first use. */
  readonly load: (tell: (event: UpdateEvent) => void) => Promise<Updater>
  /** Shows an answer; true when the person wants to quit and install. */
  readonly show: (answer: UpdateAnswer) => Promise<boolean>
  /** Tells, without a dialog, that an update waits for the app's end. */
  readonly announce: (answer: UpdateAnswer) => void
  /** Asks what there is to ask before the app ends. */
  readonly mayEnd: () => Promise<boolean>
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly random: () => number
  readonly warn: (error: unknown) => void
  readonly signal: AbortSignal
}

export interface Updates {
  /** Looks now, and tells the person what came of it. */
  checkByHand(): Promise<void>
  state(): UpdateState
}

/** Looks for updates now and then, loads them in the background, and leaves them for the end of the app. */
export function createUpdates(parts: UpdateParts): Updates {
  let state = parts.first
  let updater: Promise<Updater> | undefined
  let wasAnnounced = false
  /** Somebody who asked is told by a dialog, which needs no announcement on top. */
  let isAsking = false

  const tell = (event: UpdateEvent): void => {
    state = afterUpdateEvent(state, event)
    if (state.is !== 'ready' || wasAnnounced || isAsking) return
    wasAnnounced = true
    const answer = answerAboutUpdates(state, parts.version)
    if (answer) parts.announce(answer)
  }
  let looking: Promise<void> | undefined
  /** One look at a time; who comes while there is one waits for it. */
  const check = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = undefined
    })
    return looking
  }
  const look = async (): Promise<void> => {
    if (!mayCheck(state)) return
    tell({ event: 'check' })
    try {
      updater ??= parts.load(tell)
      await (await updater).check()
    } catch (error) {
      updater = undefined
      tell({ event: 'failed', reason: error instanceof Error ? error.message : String(error) })
    }
  }
  const cycle = async (): Promise<void> => {
    for (let isFirst = true; ; isFirst = false) {
      await parts.sleep(untilNextCheck(isFirst, parts.random()), parts.signal)
      await check()
    }
  }
  if (state.is !== 'off') cycle().catch((error: unknown) => parts.signal.aborted || parts.warn(error))

  return {
    state: () => state,
    async checkByHand() {
      if (isAsking) return
      isAsking = true
      try {
        await check()
        const answer = answerAboutUpdates(state, parts.version)
        if (!answer || !(await parts.show(answer)) || !updater || state.is !== 'ready') return
        if (await parts.mayEnd()) (await updater).quitAndInstall()
      } finally {
        isAsking = false
      }
    },
  }
}
