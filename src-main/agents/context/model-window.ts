const MILLION = 1_000_000
/** The smaller of the two windows that newer models are used with. */
const SMALL = 200_000

interface Family {
  readonly pattern: RegExp
  /** Tokens; null where programs use one of two windows, and only a hint tells which. */
  readonly window: number | null
  /** A variant of the same name exists with a window of a million. */
  readonly hasMillion?: boolean
}

/** Only models whose window is certain: a percent of a guessed window is worse than none. */
const FAMILIES: readonly Family[] = [
  { pattern: /^claude-(?:3|instant|2\.1)/, window: 200_000 },
  { pattern: /^claude-sonnet-4(?:-[05])?(?:-\d{8})?$/, window: 200_000, hasMillion: true },
  { pattern: /^claude-(?:opus|sonnet)-4-6(?:-\d{8})?$/, window: null, hasMillion: true },
  { pattern: /^claude-opus-4(?:-[015])?(?:-\d{8})?$/, window: 200_000 },
  { pattern: /^claude-haiku-4-5(?:-\d{8})?$/, window: 200_000 },
  { pattern: /^gpt-4\.1/, window: 1_047_576 },
  { pattern: /^gpt-4o/, window: 128_000 },
  { pattern: /^o(?:3|4-mini)(?:-|$)/, window: 200_000 },
  { pattern: /^gpt-5(?:-(?:mini|nano|codex))?(?:-\d{4}-\d{2}-\d{2})?$/, window: 400_000 },
  { pattern: /^gemini-2\.5-(?:pro|flash)/, window: 1_048_576 },
]

export interface WindowHints {
  /** What the provider's own program told; wins over everything but the override. */
  readonly told: number | null
  /** `ICEBOX_CONTEXT_WINDOW` of the bottle: tokens. */
  readonly override: string | undefined
  /** The model as the definition names it, which may carry a `[1m]` that transcripts leave out. */
  readonly asked: string | null
  /** `ANTHROPIC_BETAS` or custom headers of the bottle. */
  readonly betas: string | undefined
  /** Tokens that were seen in the context, which no smaller window could hold. */
  readonly seen: number | null
}

/** The window of a model in tokens, null when it can't be told for certain. Pure. */
export function contextWindow(model: string | null, hints: WindowHints): number | null {
  const forced = Number(hints.override)
  if (hints.override !== undefined && Number.isSafeInteger(forced) && forced > 0) return forced
  if (hints.told !== null && hints.told > 0) return hints.told
  if (model !== null && isMillion(model)) return MILLION
  const name = plainName(model ?? '')
  const family = FAMILIES.find(({ pattern }) => pattern.test(name))
  if (family === undefined) return null
  const isBeta = /\bcontext-1m-/.test(hints.betas ?? '')
  const isAsked = hints.asked !== null && isMillion(hints.asked) && isSameFamily(hints.asked, name)
  if (family.hasMillion && (isBeta || isAsked)) return MILLION
  // More than it holds: it is the larger variant, or nothing that this table knows.
  if (hints.seen !== null && hints.seen > (family.window ?? SMALL)) return family.hasMillion ? MILLION : null
  return family.window
}

function isMillion(model: string): boolean {
  return /\[1m\]$/i.test(model.trim())
}

/** `us.anthropic.claude-…`, `anthropic/claude-…` and `claude-…-v1:0` are the model in the middle. */
function plainName(model: string): string {
  const lower = model.trim().toLowerCase()
  const from = lower.search(/claude-|gpt-|gemini-|o[34]-|o3$/)
  return (from < 0 ? lower : lower.slice(from)).replace(/(?:-v\d+(?::\d+)?|@\d+|-latest)$/, '')
}

/** `opus[1m]` says nothing of a sonnet that a subtask or a switch brought in. */
function isSameFamily(asked: string, name: string): boolean {
  const word = /opus|sonnet|haiku/i.exec(asked)?.[0].toLowerCase()
  return word === undefined || name.includes(word)
}

/** Percent of a window with one decimal, at most 100; null when either is unknown. Pure. */
export function percentOf(tokens: number | null, window: number | null): number | null {
  if (tokens === null || window === null || window <= 0) return null
  return Math.min(100, Math.round((tokens / window) * 1000) / 10)
}
