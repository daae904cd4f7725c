import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { type NativeImage, nativeImage } from 'electron'
import { TRAY_SHAPES, type TrayShape } from '../menus/tray-look.ts'
import { bottleError } from '../system/bottle-error.ts'

/** From `out/main`, from `out/main/chunks`, and from the sources. */
const PLACES = ['../../src-main/shell/resources', '../../../src-main/shell/resources', 'resources']

/** @throws BottleError `not-found` when the app is not whole */
async function resourcesDir(): Promise<string> {
  for (const place of PLACES) {
    const dir = join(import.meta.dirname, place)
    const isThere = await access(join(dir, 'tray')).then(
      () => true,
      () => false,
    )
    if (isThere) return dir
  }
  throw bottleError('not-found', 'The icons of the app are not there. Install Icebox again.')
}

/**
 * The tray's icons, each made once. A Mac draws the black shape in the colour of its menu bar; elsewhere the icon has
 * its own colours, which are seen on light and dark panels.
 */
export async function trayIcons(platform: string): Promise<Readonly<Record<TrayShape, NativeImage>>> {
  const dir = join(await resourcesDir(), 'tray')
  const made = TRAY_SHAPES.map((shape): [TrayShape, NativeImage] => {
    const isMac = platform === 'darwin'
    // Electron finds the @2x file beside it.
    const image = nativeImage.createFromPath(join(dir, isMac ? `${shape}Template.png` : `${shape}.png`))
    if (isMac) image.setTemplateImage(true)
    return [shape, image]
  })
  return Object.fromEntries(made) as Record<TrayShape, NativeImage>
}

/** The app's own icon, for notifications and windows where the system takes none from the app's bundle. */
export async function appIcon(): Promise<NativeImage> {
  return nativeImage.createFromPath(join(await resourcesDir(), 'tray', 'app.png'))
}
