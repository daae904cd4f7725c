import { expect, test } from 'vitest'
import type { MenuCommand } from '../../../src-main/menus/menu-types.ts'
import { menuTemplate } from '../../../src-main/shell/menu-template.ts'

test('a menu in Electron’s words; a click runs the command of its item', () => {
  const ran: MenuCommand[] = []
  const template = menuTemplate(
    [
      { kind: 'label', label: '2 running' },
      { kind: 'separator' },
      { kind: 'role', role: 'copy' },
      {
        kind: 'submenu',
        label: 'demo',
        items: [
          { kind: 'command', label: 'Freeze', command: { do: 'freeze', slug: 'demo' }, isEnabled: false },
        ],
      },
      {
        kind: 'command',
        label: 'Find',
        command: { do: 'page', command: { id: 'find' } },
        accelerator: 'CommandOrControl+F',
        isPageKey: true,
        isChecked: true,
      },
    ],
    (command) => ran.push(command),
  )
  expect(template).toEqual([
    { label: '2 running', enabled: false },
    { type: 'separator' },
    { role: 'copy' },
    { label: 'demo', submenu: [{ label: 'Freeze', enabled: false, click: expect.any(Function) }] },
    {
      label: 'Find',
      type: 'checkbox',
      checked: true,
      enabled: true,
      accelerator: 'CommandOrControl+F',
      registerAccelerator: false,
      click: expect.any(Function),
    },
  ])
  const inner = template.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []))
  for (const { click } of inner) (click as () => void)()
  expect(ran).toEqual([{ do: 'freeze', slug: 'demo' }])
})
