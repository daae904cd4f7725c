import type { PowerMonitor } from 'electron'
import {
  batteryAfter,
  type Missed,
  missedText,
  POWER_RULES,
  type PowerEvent,
  powerBudget,
  powerPlan,
} from '../menus/power-rules.ts'
import { appendJournal } from '../state/journal.ts'
import type { Battery } from '../system/battery.ts'
import type { Desktop } from './desktop.ts'
import { freezeMany } from './freeze-many.ts'

export interface PowerParts {
  readonly monitor: PowerMonitor
  readonly platform: string
  readonly readBattery: () => Promise<Battery | null>
  /** Tells the person, also without a window. */
  readonly tell: (text: string) => void
  /** The session ends: the app quits without a question, within the time that is left. */
  readonly endSession: () => void
}

type PowerDesktop = Pick<Desktop, 'core' | 'icebox' | 'settings' | 'signal' | 'state' | 'warn'>

const BATTERY_MS = 60_000
/** Of Unix: a log-out on Linux, or `kill`. Only a reboot has an event of its own there. */
const SESSION_SIGNALS = ['SIGTERM', 'SIGHUP'] as const

/**
 * Follows the machine's power and freezes by the rules in the settings. Electron answers the system as soon as the
 * listeners of `suspend` return, so a sleep leaves little time: what has begun then goes on after it, and what had not
 * is told. A shutdown can be held up for some seconds.
 */
export function startPower(desktop: PowerDesktop, parts: PowerParts): void {
  const { monitor } = parts
  let awake = new AbortController()
  let isEnding = false

  const freeze = async (
    event: PowerEvent,
    noMore: AbortSignal,
    signal: AbortSignal,
  ): Promise<readonly Missed[]> => {
    const slugs = powerPlan(event, desktop.settings.all(), desktop.state.get())
    const { note } = POWER_RULES[event]
    const { bottles, root } = desktop.icebox
    const missed = await freezeMany({ bottles, tasks: desktop.core.tasks }, slugs, { note, noMore, signal })
    // Kept with the bottle, as after a shutdown nobody is there to be told. A freeze that failed has told so itself.
    for (const each of missed.filter(({ problem }) => problem === null)) {
      const message = missedText(event, [each]) ?? ''
      await appendJournal(root, each.slug, { op: 'freeze', outcome: 'notice', message })
    }
    return missed
  }
  const budget = (event: PowerEvent): AbortSignal => AbortSignal.timeout(powerBudget(event, parts.platform))
  const tell = (event: PowerEvent, missed: readonly Missed[]): void => {
    const text = missedText(event, missed)
    if (text) parts.tell(text)
  }

  const suspend = (): void => {
    awake = new AbortController()
    const slept = awake
    const wake = new Promise<void>((resolve) => {
      slept.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const noMore = AbortSignal.any([budget('sleep'), slept.signal])
    freeze('sleep', noMore, desktop.signal)
      // Nobody reads a message that comes while the machine falls asleep.
      .then((missed) => wake.then(() => desktop.signal.aborted || tell('sleep', missed)))
      .catch(desktop.warn)
  }
  const resume = (): void => awake.abort()
  const endSession = (): void => {
    if (isEnding) return
    isEnding = true
    const time = budget('shutdown')
    freeze('shutdown', time, AbortSignal.any([time, desktop.signal]))
      .then((missed) => {
        const text = missedText('shutdown', missed)
        if (text) desktop.warn(new Error(text))
      })
      .catch(desktop.warn)
      .finally(parts.endSession)
  }
  const shutdown = (event?: { preventDefault?: () => void }): void => {
    event?.preventDefault?.()
    endSession()
  }

  let isLow = false
  const lookAtBattery = async (): Promise<void> => {
    const settings = desktop.settings.all()
    if (settings.freezeOnLowBattery !== true) {
      isLow = false
      return
    }
    const reading = monitor.isOnBatteryPower()
      ? await parts.readBattery()
      : { percent: 100, isDischarging: false }
    const after = batteryAfter(isLow, reading, Number(settings.lowBatteryPercent))
    isLow = after.isLow
    if (after.became) tell('low-battery', await freeze('low-battery', budget('low-battery'), desktop.signal))
  }
  const look = (): void => void lookAtBattery().catch(desktop.warn)
  const timer = setInterval(look, BATTERY_MS)
  timer.unref()

  monitor.on('suspend', suspend)
  monitor.on('resume', resume)
  monitor.on('shutdown', shutdown as () => void)
  monitor.on('on-battery', look)
  monitor.on('on-ac', look)
  for (const name of SESSION_SIGNALS) process.on(name, endSession)
  // Of a terminal, where nobody looks for a question elsewhere.
  process.on('SIGINT', parts.endSession)
  look()
  desktop.signal.addEventListener(
    'abort',
    () => {
      clearInterval(timer)
      resume()
      monitor.off('suspend', suspend)
      monitor.off('resume', resume)
      monitor.off('shutdown', shutdown as () => void)
      monitor.off('on-battery', look)
      monitor.off('on-ac', look)
      for (const name of SESSION_SIGNALS) process.off(name, endSession)
      process.off('SIGINT', parts.endSession)
    },
    { once: true },
  )
}
