import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parsePmset, readBattery } from '../../../src-main/system/battery.ts'
import { tempFolder } from '../../support/test-root.ts'

async function supply(folder: string, name: string, files: Record<string, string>) {
  await mkdir(join(folder, name))
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, name, file), `${text}\n`)
}

test('Linux: every battery of the machine counts, that of a mouse does not', async () => {
  const folder = await tempFolder()
  expect(await readBattery('linux', folder)).toBeNull()
  await supply(folder, 'AC', { type: 'Mains', online: '0' })
  await supply(folder, 'hidpp_battery_0', {
    type: 'Battery',
    scope: 'Device',
    capacity: '3',
    status: 'Discharging',
  })
  expect(await readBattery('linux', folder)).toBeNull()
  await supply(folder, 'BAT0', { type: 'Battery', capacity: '10', status: 'Discharging' })
  await supply(folder, 'BAT1', { type: 'Battery', capacity: '60', status: 'Not charging' })
  expect(await readBattery('linux', folder)).toEqual({ percent: 35, isDischarging: true })
  expect(await readBattery('linux', join(folder, 'nowhere'))).toBeNull()
})

test.each([
  [
    "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4653155)\t87%; discharging; 3:24 remaining present: true",
    { percent: 87, isDischarging: true },
  ],
  [
    "Now drawing from 'AC Power'\n -InternalBattery-0 (id=4653155)\t100%; charged; 0:00 remaining present: true",
    { percent: 100, isDischarging: false },
  ],
  [
    "Now drawing from 'AC Power'\n -InternalBattery-0 (id=1)\t42%; AC attached; not charging present: true",
    { percent: 42, isDischarging: false },
  ],
  ["Now drawing from 'AC Power'\n", null],
])('a Mac: %s', (text, expected) => expect(parsePmset(text)).toEqual(expected))

test('elsewhere there is none', async () => expect(await readBattery('win32')).toBeNull())
