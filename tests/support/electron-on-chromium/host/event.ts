/** The event object that Electron's emitters pass first. */
export interface PreventableEvent {
  readonly defaultPrevented: boolean
  preventDefault(): void
}

export function makeEvent<T extends object>(members: T): T & PreventableEvent {
  let isPrevented = false
  return Object.defineProperties(
    { ...members },
    {
      defaultPrevented: { get: () => isPrevented, enumerable: true },
      preventDefault: {
        value: () => {
          isPrevented = true
        },
      },
    },
  ) as T & PreventableEvent
}
