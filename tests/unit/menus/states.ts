import type { MenuItem } from '../../../src-main/menus/menu-types.ts'
import type { StateSnapshot, Task } from '../../../src-preload/contract/index.ts'

/** A state of the app for what is made from one. */
export function stateOf(changes: Partial<StateSnapshot> = {}): StateSnapshot {
  return {
    revision: 1,
    bottles: [],
    tasks: [],
    engines: [],
    trash: [],
    disk: null,
    home: '/tmp/home',
    platform: 'linux',
    version: '0.1.0',
    ...changes,
  }
}

export function taskOf(id: string, changes: Partial<Task> = {}): Task {
  return {
    id,
    kind: 'freeze',
    slug: 'demo',
    state: 'running',
    progress: null,
    question: null,
    startedAt: '2026-01-01T10:00:00.000Z',
    endedAt: changes.state && changes.state !== 'running' ? '2026-01-01T10:00:01.000Z' : null,
    error: null,
    message: null,
    ...changes,
  }
}

/** The labels of a menu, one a line, submenus indented; what can't be chosen now is in brackets. */
export function outline(items: readonly MenuItem[], indent = ''): string[] {
  return items.flatMap((item) => lines(item, indent))
}

function lines(item: MenuItem, indent: string): string[] {
  switch (item.kind) {
    case 'separator':
      return [`${indent}-`]
    case 'role':
      return [`${indent}<${item.role}>`]
    case 'label':
      return [`${indent}(${item.label})`]
    case 'submenu':
      return [`${indent}${item.label} >`, ...outline(item.items, `${indent}  `)]
    case 'command':
      return [`${indent}${item.isEnabled === false ? `[${item.label}]` : item.label}`]
  }
}

/** The item at a path of labels. */
export function itemAt(items: readonly MenuItem[], ...path: string[]): MenuItem | undefined {
  const [label, ...rest] = path
  const found = items.find((item) => 'label' in item && item.label === label)
  if (rest.length === 0 || found?.kind !== 'submenu') return found
  return itemAt(found.items, ...rest)
}
