// Part of what is given to Electron as text: no imports but types.

/** Puts another method in the place of one, which it gets bound. */
export const replace = <T extends object, K extends keyof T>(
  owner: T,
  name: K,
  make: (original: T[K]) => T[K],
): void => {
  const original = owner[name]
  const value = make(typeof original === 'function' ? (original.bind(owner) as T[K]) : original)
  Object.defineProperty(owner, name, { value, configurable: true, writable: true })
}
/** Notes the calls of a method that belong to a class, with the object of each. */
export const wrap = <S extends object, A extends readonly unknown[]>(
  owner: S,
  name: string,
  note: (self: S, args: A) => void,
): void => {
  const methods = owner as unknown as Record<string, (...args: unknown[]) => unknown>
  const original = methods[name]
  if (!original) throw new Error(`there is no ${name} to record`)
  methods[name] = function (this: S, ...args: unknown[]) {
    const answer = original.apply(this, args)
    note(this, args as unknown as A)
    return answer
  }
}
