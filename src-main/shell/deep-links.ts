import type { BottleTab } from '../../src-preload/contract/desktop.ts'
import type { MenuCommand } from '../menus/menu-types.ts'
import { isSlug } from '../state/slug.ts'

/** The scheme of links that any page, mail or program may open. */
export const LINK_SCHEME = 'icebox'

const SECTIONS: ReadonlySet<string> = new Set([
  'bottles',
  'activity',
  'agents',
  'engines',
  'space',
  'trash',
  'settings',
])
const TABS: ReadonlySet<string> = new Set<BottleTab>([
  'overview',
  'terminal',
  'logs',
  'timeline',
  'changes',
  'health',
])
const MAX_LENGTH = 512
/** Nothing that would have to be decoded: what is read here is what stands there. */
const SHAPE = /^icebox:\/\/([a-z]+)(?:\/([a-z0-9-]+))?(?:\/([a-z]+))?\/?$/

/**
 * What a link asks for, or null for one that is not understood. Links come from anywhere, so none does more than
 * show something or open a sheet that asks. Pure.
 */
export function parseDeepLink(link: unknown): MenuCommand | null {
  if (typeof link !== 'string' || link.length > MAX_LENGTH) return null
  const [, kind, name, tab] = SHAPE.exec(link) ?? []
  switch (kind) {
    case 'open':
      return name === undefined ? { do: 'show-window' } : null
    case 'new':
      return name === undefined ? { do: 'page', command: { id: 'new-bottle' } } : null
    case 'section':
      return name !== undefined && tab === undefined && SECTIONS.has(name)
        ? { do: 'page', command: { id: 'section', section: name } }
        : null
    case 'bottle':
      return name !== undefined && isSlug(name) && (tab === undefined || isTab(tab))
        ? { do: 'page', command: { id: 'show-bottle', slug: name, tab: tab ?? 'overview' } }
        : null
    default:
      return null
  }
}

function isTab(text: string): text is BottleTab {
  return TABS.has(text)
}
