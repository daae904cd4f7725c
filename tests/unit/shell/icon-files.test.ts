import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TRAY_SHAPES } from '../../../src-main/menus/tray-look.ts'

const RESOURCES = join(import.meta.dirname, '../../../src-main/shell/resources')
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

async function sizeOf(...path: readonly string[]): Promise<readonly [number, number]> {
  return pngSize(await readFile(join(RESOURCES, ...path)))
}

function pngSize(file: Buffer): readonly [number, number] {
  expect(file.subarray(0, 8)).toEqual(PNG)
  return [file.readUInt32BE(16), file.readUInt32BE(20)]
}

test('every shape of the tray has its icons, in one size and twice that', async () => {
  for (const shape of TRAY_SHAPES) {
    expect(await sizeOf('tray', `${shape}Template.png`), shape).toEqual([16, 16])
    expect(await sizeOf('tray', `${shape}Template@2x.png`), shape).toEqual([32, 32])
    expect(await sizeOf('tray', `${shape}.png`), shape).toEqual([24, 24])
    expect(await sizeOf('tray', `${shape}@2x.png`), shape).toEqual([48, 48])
  }
  const all = await Promise.all(
    TRAY_SHAPES.map((shape) => readFile(join(RESOURCES, 'tray', `${shape}Template.png`), 'hex')),
  )
  expect(new Set(all).size).toBe(TRAY_SHAPES.length)
})

test('the app has its icon for each system', async () => {
  expect(await sizeOf('icon.png')).toEqual([1024, 1024])
  expect(await sizeOf('tray', 'app.png')).toEqual([128, 128])
  const linux = await readdir(join(RESOURCES, 'linux'))
  expect(linux).toContain('256x256.png')
  for (const name of linux) expect((await sizeOf('linux', name)).join('x')).toBe(name.replace('.png', ''))
})

test('the icon of the Mac holds the sizes that it names', async () => {
  const file = await readFile(join(RESOURCES, 'icon.icns'))
  expect(file.toString('latin1', 0, 4)).toBe('icns')
  expect(file.readUInt32BE(4)).toBe(file.length)
  const sizes: Record<string, number> = {}
  for (let at = 8; at < file.length; at += file.readUInt32BE(at + 4))
    sizes[file.toString('latin1', at, at + 4)] = pngSize(file.subarray(at + 8))[0]
  expect(sizes).toEqual({
    ic11: 32,
    ic12: 64,
    ic07: 128,
    ic13: 256,
    ic08: 256,
    ic14: 512,
    ic09: 512,
    ic10: 1024,
  })
})
