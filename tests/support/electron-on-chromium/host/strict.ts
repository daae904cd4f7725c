/** An object whose unknown members throw, so that nothing is taken for done that the stand-in does not do. */
export function strict<T extends object>(name: string, members: T): T {
  return new Proxy(members, {
    get(target, key, receiver) {
      const isKnown = typeof key !== 'string' || key in target || key === 'then' || key === 'toJSON'
      if (!isKnown) throw new Error(`the stand-in has no ${name}.${key}`)
      return Reflect.get(target, key, receiver)
    },
  })
}

/** @throws Error that names what the stand-in lacks */
export function notHere(what: string): never {
  throw new Error(`the stand-in has no ${what}`)
}
