import { byUrgency, freezable } from './bottle-facts.ts'
import { menuText } from './menu-text.ts'
import type { MenuItem } from './menu-types.ts'
import type { MenuState } from './tray-menu.ts'
import { words } from './words.ts'

const MAX_BOTTLES = 5

/** The menu of the dock icon, below which the system puts its own items. Pure. */
export function dockMenu(state: Pick<MenuState, 'bottles' | 'tasks'>): readonly MenuItem[] {
  const shown = byUrgency(state.bottles)
    .slice(0, MAX_BOTTLES)
    .map(
      (bottle): MenuItem => ({
        kind: 'command',
        label: menuText(`${bottle.slug} — ${words.stateOf(bottle)}`),
        command: { do: 'page', command: { id: 'show-bottle', slug: bottle.slug, tab: 'overview' } },
      }),
    )
  return [
    ...shown,
    ...(shown.length > 0 ? [{ kind: 'separator' } as const] : []),
    { kind: 'command', label: words.newBottle, command: { do: 'page', command: { id: 'new-bottle' } } },
    {
      kind: 'command',
      label: words.freezeAll,
      command: { do: 'freeze-all' },
      ...(freezable(state).length > 0 ? {} : { isEnabled: false }),
    },
  ]
}
