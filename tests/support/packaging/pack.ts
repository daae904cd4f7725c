import { join } from 'node:path'
import { runChild } from '../child.ts'
import { fakeElectron } from './fake-electron.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** Packs the built app the way a release does, around an Electron that is none, and returns what it made. */
export async function packApp(
  dir: string,
  platform: 'linux' | 'darwin',
  overrides: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: number | null; readonly output: string; readonly unpacked: string }> {
  const electron = await fakeElectron(join(dir, `electron-${platform}`), platform)
  const made = join(dir, `packed-${platform}`)
  const { exitCode, output } = await runChild(
    process.execPath,
    [
      join(ROOT, 'node_modules/electron-builder/cli.js'),
      '--dir',
      platform === 'linux' ? '--linux' : '--mac',
      `--${process.arch}`,
      '--config',
      '.electron-builder.config.ts',
      `-c.electronDist=${electron}`,
      `-c.directories.output=${made}`,
      // What is no program can't be signed.
      '-c.mac.identity=null',
      ...overrides,
    ],
    { cwd: ROOT, env: { ...process.env, CSC_IDENTITY_AUTO_DISCOVERY: 'false', ...env }, timeout: 240_000 },
  )
  const kind = process.arch === 'x64' ? '' : `-${process.arch}`
  return {
    exitCode,
    output,
    unpacked: join(made, platform === 'linux' ? `linux${kind}-unpacked` : `mac${kind}`),
  }
}
