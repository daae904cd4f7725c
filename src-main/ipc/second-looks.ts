import type { Bottle } from '../../src-preload/contract/index.ts'

/** Looks again at bottles whose change was told before a list could show it. */
export interface SecondLooks {
  /** A bottle was said to have changed; `row` is what is known of it until now. */
  expect(slug: string, row: Bottle | undefined): void
  /** A list was read. */
  listed(rowOf: (slug: string) => Bottle | undefined): void
  close(): void
}

/**
 * An engine tells some changes before its own list shows them (Docker: pause and unpause, by as long as a write
 * to disk takes), and no second event follows. So a row that did not change is read again a few times.
 */
export function createSecondLooks(
  look: (slugs: readonly string[]) => void,
  delays: readonly number[] = [20, 60, 200, 700, 2000],
): SecondLooks {
  const expected = new Map<string, Bottle | undefined>()
  let looks = 0
  let timer: NodeJS.Timeout | undefined
  return {
    expect(slug, row) {
      expected.set(slug, row)
      looks = 0
    },
    listed(rowOf) {
      for (const [slug, before] of expected) if (rowOf(slug) !== before) expected.delete(slug)
      clearTimeout(timer)
      const delay = delays[looks]
      if (expected.size === 0 || delay === undefined) {
        expected.clear()
        return
      }
      looks += 1
      timer = setTimeout(() => look([...expected.keys()]), delay)
    },
    close: () => clearTimeout(timer),
  }
}
