/** What a version of smolvm has, as far as an adapter can see it. */
export interface Features {
  readonly version: string
  /** `--name` instead of a positional name. */
  readonly flagNames: boolean
  /** `--image` takes archives, `-` and folders. */
  readonly localImages: boolean
  readonly stagingDir: boolean
  readonly execDetach: boolean
  /** A pack of a machine that was itself made from a pack holds that pack's files too. */
  readonly repackKeepsLayers: boolean
  readonly cascade: boolean
  readonly refusesSidecarName: boolean
  readonly labels: boolean
  readonly copyOwner: boolean
  readonly packsLocalImages: boolean
  readonly packKeepsUser: boolean
  /** `branch` and `checkpoint`; `fork` is then another name for `branch`. */
  readonly branch: boolean
  readonly checkpoint: boolean
  readonly shortExtension: boolean
  readonly pause: boolean
  readonly packsClones: boolean
  /** The database gives up at once when two create. */
  readonly losesCreateRaces: boolean
  readonly restoreCache: boolean
  readonly fetchesOnHost: boolean
  readonly quiet: boolean
  readonly user: boolean
  readonly includeWorkspace: boolean
}

/** The versions that the conformance suite runs over. */
export const SMOLVM_VERSIONS = ['1.0.1', '1.0.2', '1.8.0', '1.9.3', '1.20.0', '1.23.0'] as const

/** Compares two versions by their numbers: negative, zero or positive. */
export function compareVersions(one: string, two: string): number {
  const left = one.split('.').map(Number)
  const right = two.split('.').map(Number)
  for (let at = 0; at < 3; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * Source: cli-contracts.md §2.2. Where the page only knows by when a feature was there, the version named is the first
 * that the suite runs and the page vouches for.
 */
export function featuresOf(version: string): Features {
  const since = (first: string) => compareVersions(version, first) >= 0
  return {
    version,
    flagNames: since('1.0.2'),
    localImages: since('1.1.0'),
    stagingDir: since('1.2.0'),
    execDetach: since('1.3.0'),
    repackKeepsLayers: since('1.3.4'),
    cascade: since('1.7.0'),
    refusesSidecarName: since('1.7.0'),
    labels: since('1.8.0'),
    copyOwner: since('1.9.0'),
    packsLocalImages: since('1.10.0'),
    packKeepsUser: since('1.10.0'),
    branch: since('1.14.0'),
    checkpoint: since('1.14.0'),
    shortExtension: since('1.19.1'),
    pause: since('1.18.0'),
    packsClones: since('1.16.1'),
    losesCreateRaces: since('1.16.0'),
    restoreCache: since('1.22.0'),
    fetchesOnHost: since('1.23.0'),
    quiet: since('1.23.0'),
    user: since('1.23.0'),
    includeWorkspace: since('1.23.0'),
  }
}
