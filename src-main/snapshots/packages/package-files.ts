import type { PackageChange } from '../../../src-preload/contract/index.ts'

export type PackageManager = PackageChange['manager']

/** Bytes of a package list that is still read; the largest real one, of a full desktop system, has about 20 MB. */
export const PACKAGE_FILE_MAX = 64 * 1024 * 1024

const RULES: readonly (readonly [RegExp, PackageManager])[] = [
  [/^(?:var|usr)\/lib\/dpkg\/status$/, 'dpkg'],
  [/^var\/lib\/dpkg\/status\.d\/[^/]+$/, 'dpkg'],
  [/^(?:usr\/)?lib\/apk\/db\/installed$/, 'apk'],
  [/(?:^|\/)node_modules\/\.package-lock\.json$/, 'npm'],
  // Global installs have no lock file beside them; what lies deeper belongs to another package.
  [
    /^(?:(?!.*\/node_modules\/.*\/node_modules\/).*\/)?lib\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/,
    'npm',
  ],
  [/\.dist-info\/METADATA$/, 'pip'],
  [/\.egg-info\/PKG-INFO$/, 'pip'],
]

/** The package manager whose list a path (bytes, no leading `/`) is, null for any other file. Pure. */
export function managerOf(path: string): PackageManager | null {
  return RULES.find(([pattern]) => pattern.test(path))?.[1] ?? null
}
