import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What Electron's own binary says before its fuses. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
/** RunAsNode, cookies, NODE_OPTIONS, inspect, asar integrity, only asar, snapshot, file privileges, Wasm traps. */
const AS_SHIPPED = '101100011'

/** A file with a fuse wire like that of a real binary. */
export function fakeBinary(wire: string = AS_SHIPPED): Buffer {
  return Buffer.concat([
    Buffer.from(`fake\0${SENTINEL}`),
    Buffer.from([1, wire.length]),
    Buffer.from(`${wire}\0end`),
  ])
}

/** The folder of an unpacked Electron as far as electron-builder looks at it; nothing in it runs. */
export async function fakeElectron(dir: string, platform: 'linux' | 'darwin'): Promise<string> {
  await (platform === 'linux' ? linux(dir) : mac(join(dir, 'Electron.app')))
  return dir
}

async function linux(dir: string): Promise<void> {
  await Promise.all(['locales', 'resources'].map((name) => mkdir(join(dir, name), { recursive: true })))
  await writeFile(join(dir, 'electron'), fakeBinary(), { mode: 0o755 })
  const empty = [
    'LICENSE',
    'chrome-sandbox',
    'chrome_crashpad_handler',
    'locales/en-US.pak',
    'locales/de.pak',
  ]
  await Promise.all(empty.map((name) => writeFile(join(dir, name), '')))
}

async function mac(app: string): Promise<void> {
  await program(app, 'Electron')
  await languages(join(app, 'Contents/Resources'))
  await writeFile(join(app, 'Contents/Resources/electron.icns'), '')
  const frameworks = join(app, 'Contents/Frameworks')
  for (const kind of ['', ' (Renderer)', ' (Plugin)', ' (GPU)']) {
    await program(join(frameworks, `Electron Helper${kind}.app`), `Electron Helper${kind}`)
  }
  const framework = join(frameworks, 'Electron Framework.framework')
  await languages(join(framework, 'Versions/A/Resources'))
  await writeFile(join(framework, 'Electron Framework'), fakeBinary())
}

async function languages(dir: string): Promise<void> {
  for (const name of ['en.lproj', 'de.lproj']) {
    await mkdir(join(dir, name), { recursive: true })
    // An empty folder is not copied.
    await writeFile(join(dir, name, 'locale.pak'), '')
  }
}

async function program(app: string, name: string): Promise<void> {
  await mkdir(join(app, 'Contents/MacOS'), { recursive: true })
  await writeFile(join(app, 'Contents/MacOS', name), '', { mode: 0o755 })
  await writeFile(
    join(app, 'Contents/Info.plist'),
    `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>CFBundleExecutable</key><string>${name}</string></dict></plist>\n`,
  )
}
