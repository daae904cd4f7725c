/** Values that may turn up in what an agent shows, and whether all of them could be told. */
export interface ValuesLook {
  readonly values: readonly string[]
  readonly isWhole: boolean
}

/** Milliseconds until a look that was not whole is done again: a keychain may ask a person each time. */
const AGAIN = 30_000

/**
 * Remembers the values once all of them are known. Until then it looks again now and then, and what was ever told is
 * not forgotten meanwhile. Never throws: values that can't be told keep nothing from happening.
 */
export function rememberValues(
  look: () => Promise<ValuesLook>,
  now: () => number,
): () => Promise<readonly string[]> {
  let known: readonly string[] = []
  let current: Promise<readonly string[]> | null = null
  /** When a look that was not whole ended; null while one goes on, and after one that was. */
  let missedAt: number | null = null
  const lookAgain = async (): Promise<readonly string[]> => {
    missedAt = null
    const found = await look().catch((): ValuesLook => ({ values: [], isWhole: false }))
    known = [...new Set([...known, ...found.values])]
    missedAt = found.isWhole ? null : now()
    return known
  }
  return () => {
    if (current === null || (missedAt !== null && now() - missedAt >= AGAIN)) current = lookAgain()
    return current
  }
}
