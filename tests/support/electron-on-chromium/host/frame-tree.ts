import type { Params } from './cdp.ts'
import { type FrameOwner, makeFrame, type WebFrame } from './web-frame.ts'

/** Name of the preload's world in every frame. */
export const WORLD = 'standin-preload'

/** The frames of a page and the worlds in them, kept from what Chromium tells. */
export interface FrameTree {
  readonly main: WebFrame
  begin(mainFrameId: string): void
  of(frameId: unknown): WebFrame | undefined
  /** The frame that a message came from, by the number of its world. */
  ofContext(context: unknown): WebFrame | undefined
  hear(method: string, params: Params): void
}

/** `documentGone` is called when the preload's world of a frame ends. */
export function createFrameTree(owner: FrameOwner, documentGone: (frame: WebFrame) => void): FrameTree {
  const main = makeFrame(owner, null)
  const frames = new Map<string, WebFrame>()
  const contexts = new Map<number, { readonly frame: WebFrame; readonly uniqueId: string }>()

  const endContext = (id: number): void => {
    const { frame, uniqueId } = contexts.get(id) ?? {}
    contexts.delete(id)
    if (!frame || frame.contexts.preload !== uniqueId) return
    frame.contexts.preload = undefined
    documentGone(frame)
  }
  const addContext = ({ id, uniqueId, name, auxData }: Params): void => {
    const { frameId, isDefault } = auxData as { frameId: string; isDefault: boolean }
    const frame = frames.get(frameId)
    if (!frame) return
    contexts.set(Number(id), { frame, uniqueId: String(uniqueId) })
    if (isDefault) frame.contexts.page = String(uniqueId)
    else if (name === WORLD) frame.contexts.preload = String(uniqueId)
  }
  const drop = (id: string): void => {
    const frame = frames.get(id)
    frames.delete(id)
    if (!frame) return
    frame.detached = true
    const siblings = frame.parent?.frames ?? []
    siblings.splice(siblings.indexOf(frame), 1)
  }
  const navigated = ({ id, url, name, urlFragment }: Params): void => {
    const frame = frames.get(String(id))
    if (!frame) return
    frame.loaded = `${url}${urlFragment ?? ''}`
    frame.name = String(name ?? '')
  }
  const hearers: Readonly<Record<string, (params: Params) => void>> = {
    'Runtime.executionContextCreated': ({ context }) => addContext(context as Params),
    'Runtime.executionContextDestroyed': ({ executionContextId }) => endContext(Number(executionContextId)),
    'Runtime.executionContextsCleared': () => {
      for (const id of [...contexts.keys()]) endContext(id)
    },
    'Page.frameAttached': ({ frameId, parentFrameId }) => {
      frames.set(String(frameId), makeFrame(owner, frames.get(String(parentFrameId)) ?? main))
    },
    'Page.frameDetached': ({ frameId, reason }) => {
      if (reason !== 'swap') drop(String(frameId))
    },
    'Page.frameNavigated': ({ frame }) => navigated(frame as Params),
    'Page.navigatedWithinDocument': ({ frameId, url }) => {
      const frame = frames.get(String(frameId))
      if (frame) frame.loaded = String(url)
    },
  }
  return {
    main,
    begin: (mainFrameId) => void frames.set(mainFrameId, main),
    of: (frameId) => frames.get(String(frameId)),
    ofContext: (context) => contexts.get(Number(context))?.frame,
    hear: (method, params) => hearers[method]?.(params),
  }
}
