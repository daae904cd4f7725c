import { isEmpty, readBoolean, readChoice, readFields, readNumber, readText } from './fields.ts'
import type { Field } from './frontmatter.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle } from './lifecycle.ts'
import type { Report } from './problems.ts'

const NONE: ReadonlyMap<string, Field> = new Map()
/** Seconds: a day. */
const DAY = 86_400

function open(field: Field | undefined, keys: readonly string[], report: Report): ReadonlyMap<string, Field> {
  return field ? readFields(field.value, `\`${field.key}\``, keys, report) : NONE
}

/** When a dead agent is started again. */
export function readRestart(field: Field | undefined, report: Report): Lifecycle['restart'] {
  const defaults = DEFAULT_LIFECYCLE.restart
  const fields = open(field, ['policy', 'max_retries', 'window', 'backoff'], report)
  const backoff = open(fields.get('backoff'), ['initial', 'max', 'multiplier', 'jitter'], report)
  const restart = {
    policy: readChoice(fields.get('policy'), ['never', 'on-failure', 'always'], report) ?? defaults.policy,
    maxRetries:
      readNumber(fields.get('max_retries'), { min: 0, max: 1000, whole: true }, report) ??
      defaults.maxRetries,
    windowSeconds:
      readNumber(fields.get('window'), { min: 1, max: 30 * DAY }, report) ?? defaults.windowSeconds,
    initialSeconds:
      readNumber(backoff.get('initial'), { min: 0, max: DAY }, report) ?? defaults.initialSeconds,
    maxSeconds: readNumber(backoff.get('max'), { min: 0, max: DAY }, report) ?? defaults.maxSeconds,
    multiplier: readNumber(backoff.get('multiplier'), { min: 1, max: 100 }, report) ?? defaults.multiplier,
    jitter: readNumber(backoff.get('jitter'), { min: 0, max: 1 }, report) ?? defaults.jitter,
  }
  if (restart.initialSeconds > restart.maxSeconds) {
    const at = backoff.get('initial') ?? backoff.get('max') ?? field
    report(
      at?.line ?? 1,
      `The first wait (${restart.initialSeconds} s) is longer than the longest (${restart.maxSeconds} s).`,
      'Raise `max` or lower `initial`.',
    )
  }
  return restart
}

/** What happens when the conversation fills the model's window. */
export function readContext(field: Field | undefined, report: Report): Lifecycle['context'] {
  const defaults = DEFAULT_LIFECYCLE.context
  const fields = open(
    field,
    [
      'strategy',
      'trigger_at_percent',
      'warn_before_n_checks',
      'check_interval_seconds',
      'freeze_first',
      'state_file',
    ],
    report,
  )
  // Icebox keeps its samples in the bottle's state, so the path is only checked.
  readText(fields.get('state_file'), report)
  return {
    strategy:
      readChoice(fields.get('strategy'), ['noop', 'warn', 'compact', 'freeze', 'restart'], report) ??
      defaults.strategy,
    triggerPercent:
      readNumber(fields.get('trigger_at_percent'), { min: 1, max: 100 }, report) ?? defaults.triggerPercent,
    warnBeforeChecks:
      readNumber(fields.get('warn_before_n_checks'), { min: 0, max: 1000, whole: true }, report) ??
      defaults.warnBeforeChecks,
    checkIntervalSeconds:
      readNumber(fields.get('check_interval_seconds'), { min: 1, max: DAY }, report) ??
      defaults.checkIntervalSeconds,
    freezeFirst: readBoolean(fields.get('freeze_first'), report) ?? defaults.freezeFirst,
  }
}

/** When a bottle is frozen without being asked. */
export function readAutoFreeze(field: Field | undefined, report: Report): Lifecycle['autoFreeze'] {
  const fields = open(
    field,
    ['on_exit', 'idle_minutes', 'context_percent', 'every_minutes', 'before_destroy'],
    report,
  )
  const minutes = (key: string): number | null =>
    readNumber(fields.get(key), { min: 1, max: 60 * 24 * 30 }, report) ?? null
  return {
    onExit: readBoolean(fields.get('on_exit'), report) ?? false,
    idleMinutes: minutes('idle_minutes'),
    contextPercent: readNumber(fields.get('context_percent'), { min: 1, max: 100 }, report) ?? null,
    everyMinutes: minutes('every_minutes'),
    beforeDestroy: readBoolean(fields.get('before_destroy'), report) ?? false,
  }
}

/** An agent that is driven on until it says that it is done. */
export function readAutonomous(field: Field | undefined, report: Report): Lifecycle['autonomous'] {
  const defaults = DEFAULT_LIFECYCLE.autonomous
  const fields = open(
    field,
    ['enabled', 'drive_until', 'max_turns', 'idle_kick_after_s', 'kick_text'],
    report,
  )
  const text = (key: string, fallback: string): string => {
    const given = fields.get(key)
    const read = readText(given, report)
    if (given && !isEmpty(given.value) && read?.trim() === '') report(given.line, `\`${key}\` is empty.`)
    return read ?? fallback
  }
  return {
    enabled: readBoolean(fields.get('enabled'), report) ?? defaults.enabled,
    driveUntil: text('drive_until', defaults.driveUntil),
    maxTurns:
      readNumber(fields.get('max_turns'), { min: 1, max: 100_000, whole: true }, report) ?? defaults.maxTurns,
    idleKickSeconds:
      readNumber(fields.get('idle_kick_after_s'), { min: 1, max: DAY }, report) ?? defaults.idleKickSeconds,
    kickText: text('kick_text', defaults.kickText),
  }
}
