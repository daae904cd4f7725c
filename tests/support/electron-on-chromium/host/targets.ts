import type { Params } from './cdp.ts'
import type { Chromium } from './chromium.ts'
import { standIn } from './runtime.ts'

/** A page of Chromium that this process holds the strings of; it is paused until it is told to run. */
export interface Target {
  readonly targetId: string
  readonly sessionId: string
  readonly url: string
  readonly openerId: string | undefined
}

type Popup = (target: Target) => void

const attached = new Map<string, Target>()
let attaching: Promise<void> | undefined
let onPopup: Popup = () => undefined
const creating = new Set<Promise<unknown>>()
const created = new Set<string>()
const FILTER = [{ type: 'page' }, { exclude: true }]

/** Called for pages that Chromium opened by itself, such as those of links to new windows. */
export function hearPopups(listener: Popup): void {
  onPopup = listener
}

function attach({ cdp }: Chromium): Promise<void> {
  attaching ??= (async () => {
    cdp.on(undefined, (method, params) => {
      if (method === 'Target.attachedToTarget') seen(params)
      if (method === 'Target.detachedFromTarget') attached.delete(String(params.targetId))
    })
    await cdp.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: true,
      flatten: true,
      filter: FILTER,
    })
  })()
  return attaching
}

function seen({ sessionId, targetInfo }: Params): void {
  const { targetId, url, openerId } = targetInfo as { targetId: string; url: string; openerId?: string }
  const target = { targetId, sessionId: String(sessionId), url, openerId }
  attached.set(targetId, target)
  // Whose it is, is known once the answers to our own requests are there.
  void Promise.allSettled([...creating]).then(() => {
    if (!created.has(targetId) && attached.has(targetId)) onPopup(target)
  })
}

/** Opens a blank page in a window of its own. */
export async function createTarget(size: {
  readonly width: number
  readonly height: number
}): Promise<Target> {
  const chromium = await standIn.chromium()
  await attach(chromium)
  const request = chromium.cdp
    .send<{ targetId: string }>('Target.createTarget', { url: 'about:blank', newWindow: true, ...size })
    .then(({ targetId }) => {
      created.add(targetId)
      return targetId
    })
  creating.add(request)
  const targetId = await request.finally(() => creating.delete(request))
  const target = attached.get(targetId)
  if (!target) throw new Error('Chromium opened a page and did not attach to it')
  return target
}

/** Takes over a page that Chromium opened by itself. */
export function adopt(target: Target): void {
  created.add(target.targetId)
}
