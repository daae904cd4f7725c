// Draws every icon anew from shapes.ts: `node tests/support/icons/draw-icons.ts [chromium]`.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright'
import { appShape, TRAY, trayShape } from './shapes.ts'

const HERE = join(import.meta.dirname, '../../../src-main/shell/resources')
const LINUX = [16, 24, 32, 48, 64, 128, 256, 512] as const
/** Types of an .icns file that hold PNG data, by their size in pixels. */
const ICNS = {
  ic11: 32,
  ic12: 64,
  ic07: 128,
  ic13: 256,
  ic08: 256,
  ic14: 512,
  ic09: 512,
  ic10: 1024,
} as const

async function draw(page: Page, svg: string, pixels: number): Promise<Buffer> {
  await page.setViewportSize({ width: pixels, height: pixels })
  const sized = svg.replace('<svg ', `<svg width="${pixels}" height="${pixels}" style="display:block" `)
  await page.setContent(`<!doctype html><style>body{margin:0}</style>${sized}`)
  return page.screenshot({ omitBackground: true, clip: { x: 0, y: 0, width: pixels, height: pixels } })
}

/** An .icns file is a list of chunks: type, length with these eight bytes, content. */
function icns(images: readonly (readonly [string, Buffer])[]): Buffer {
  const chunk = (type: string, content: Buffer): Buffer => {
    const head = Buffer.alloc(8)
    head.write(type, 0, 'latin1')
    head.writeUInt32BE(content.length + 8, 4)
    return Buffer.concat([head, content])
  }
  return chunk('icns', Buffer.concat(images.map(([type, png]) => chunk(type, png))))
}

const browser = await chromium.launch({
  executablePath: process.argv[2] ?? '/usr/bin/chromium',
  chromiumSandbox: false,
})
try {
  const page = await browser.newPage()
  await mkdir(join(HERE, 'tray'), { recursive: true })
  await mkdir(join(HERE, 'linux'), { recursive: true })
  for (const name of TRAY) {
    for (const [suffix, scale] of [
      ['', 1],
      ['@2x', 2],
    ] as const) {
      const tray = join(HERE, 'tray')
      await writeFile(
        join(tray, `${name}Template${suffix}.png`),
        await draw(page, trayShape(name, 'template'), 16 * scale),
      )
      await writeFile(
        join(tray, `${name}${suffix}.png`),
        await draw(page, trayShape(name, 'colour'), 24 * scale),
      )
    }
  }
  await writeFile(join(HERE, 'tray', 'app.png'), await draw(page, appShape(128), 128))
  for (const size of LINUX)
    await writeFile(join(HERE, 'linux', `${size}x${size}.png`), await draw(page, appShape(size), size))
  await writeFile(join(HERE, 'icon.png'), await draw(page, appShape(1024), 1024))
  const images: (readonly [string, Buffer])[] = []
  for (const [type, size] of Object.entries(ICNS)) images.push([type, await draw(page, appShape(size), size)])
  await writeFile(join(HERE, 'icon.icns'), icns(images))
} finally {
  await browser.close()
}
