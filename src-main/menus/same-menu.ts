import { isDeepStrictEqual } from 'node:util'

/** True when two menus or looks show the same, so that nothing has to be built anew. Pure. */
export function isSameMenu<T>(a: T | undefined, b: T): boolean {
  return isDeepStrictEqual(a, b)
}
