import type { Page } from 'playwright'

type Bridge = { readonly icebox: { call(name: string, args: unknown): Promise<unknown> } }

/** A call of the contract as the page makes it; the answer is a Result. */
export function pageCall(page: Page, name: string, args: object = {}): Promise<unknown> {
  return page.evaluate(([what, given]) => (window as unknown as Bridge).icebox.call(what as string, given), [
    name,
    args,
  ] as const)
}
