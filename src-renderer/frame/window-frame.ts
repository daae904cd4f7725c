import { isMac } from '../palette/keys.ts'
import type { Store } from '../state/create-store.ts'
import type { Model } from '../state/model.ts'

/** What the page knows of the frame around it. */
interface FrameFacts {
  readonly isDesktop: boolean
  /** The platform of the core; empty until the first state is there. */
  readonly platform: string
  /** What the page's own engine says, which on the desktop is the same machine. */
  readonly isMac: boolean
}

/** True where the window has no title bar of its own and its buttons lie over the page. Pure. */
export function isInset({ isDesktop, platform, isMac: looksLikeMac }: FrameFacts): boolean {
  return isDesktop && (platform ? platform === 'darwin' : looksLikeMac)
}

/** The part of the Window Controls Overlay that is used here. */
interface ControlsOverlay extends EventTarget {
  readonly visible: boolean
}

/**
 * Marks the document with how the window is framed, for the styles of frame/inset.css: `data-frame="inset"` on a Mac,
 * and `data-lights="away"` in full screen, where the window's buttons are gone.
 */
export function followFrame(root: HTMLElement, isDesktop: boolean, model: Store<Model>): void {
  const overlay = (navigator as Navigator & { readonly windowControlsOverlay?: ControlsOverlay })
    .windowControlsOverlay
  const fullScreen = window.matchMedia('(display-mode: fullscreen)')
  // Never seen means not known: room that is not needed does less harm than buttons over words.
  let wereSeen = overlay?.visible ?? false
  const mark = (): void => {
    wereSeen ||= overlay?.visible ?? false
    const inset = isInset({ isDesktop, platform: model.get().platform, isMac })
    const areAway = fullScreen.matches || (wereSeen && !overlay?.visible)
    if (inset) root.dataset.frame = 'inset'
    else delete root.dataset.frame
    if (inset && areAway) root.dataset.lights = 'away'
    else delete root.dataset.lights
  }
  mark()
  if (!isDesktop) return
  let { platform } = model.get()
  model.subscribe(() => {
    if (model.get().platform === platform) return
    platform = model.get().platform
    mark()
  })
  overlay?.addEventListener('geometrychange', mark)
  fullScreen.addEventListener('change', mark)
}
