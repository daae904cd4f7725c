/** A release of the `container` program. */
export interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/** What a release can do, as far as Icebox depends on it. Source: cli-contracts.md, 1.1. */
export interface Gates {
  /** `export` writes a tar of the files; before, there is no way to freeze at all. */
  readonly exportsTar: boolean
  /** `export` works while the container runs, and replaces an existing file. */
  readonly liveExport: boolean
  /** `copy` between this machine and a running container. */
  readonly copy: boolean
  /** Entries of `list` and `inspect` hold `status` as an object. */
  readonly nestedJson: boolean
}

/** Releases before this one can't freeze. */
export const OLDEST = '0.11.0'

// Builds from the sources call themselves 0.0.0; they are newer than any release.
const NEWEST: Version = { major: Number.MAX_SAFE_INTEGER, minor: 0, patch: 0 }

/** Pure: the release in the answer to `container --version`; null when there is none in it. */
export function parseVersion(text: string): Version | null {
  const found = /version (\d+)\.(\d+)\.(\d+)/.exec(text)
  if (!found) return null
  const [major = 0, minor = 0, patch = 0] = found.slice(1).map(Number)
  return major + minor + patch === 0 ? NEWEST : { major, minor, patch }
}

/** Pure. */
export function showVersion(version: Version): string {
  return version === NEWEST ? 'development build' : `${version.major}.${version.minor}.${version.patch}`
}

/** Pure. */
export function isAtLeast(version: Version, wanted: string): boolean {
  const [major = 0, minor = 0, patch = 0] = wanted.split('.').map(Number)
  if (version.major !== major) return version.major > major
  if (version.minor !== minor) return version.minor > minor
  return version.patch >= patch
}

/** Pure. */
export function gatesOf(version: Version): Gates {
  return {
    exportsTar: isAtLeast(version, OLDEST),
    liveExport: isAtLeast(version, '1.2.1'),
    copy: isAtLeast(version, '1.0.0'),
    nestedJson: isAtLeast(version, '1.0.0'),
  }
}

/** Pure: what a person should know that this release, or any, can't do here. */
export function limitsOf(gates: Gates): readonly string[] {
  return [
    ...(gates.liveExport
      ? []
      : [
          'Freezing has to stop a running bottle and start it again: exports of running ones work from 1.2.1 on.',
        ]),
    'There is no pause and no snapshot of memory.',
    'Only folders can be mounted, not single files.',
    'A bottle has no sidecars, and its network is open: it can be neither taken away nor filtered.',
    'Processors are given as whole numbers, and memory is 200 MiB or more.',
  ]
}
