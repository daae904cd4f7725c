import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Seconds that the long files took on two quiet cores. A long file that starts last keeps one core waiting for the
 * other; a fresh checkout knows no times of its own, and the size of a file says nothing of them.
 */
const SECONDS: Readonly<Record<string, number>> = {
  'faults/kill-docker-launches': 110,
  'faults/kill-docker-others': 90,
  'engine/artifacts/property-docker': 85,
  'faults/kill-host-launches': 60,
  'faults/kill-host-others': 45,
  'faults/kill-artifacts': 98,
  'engine/artifacts/export': 40,
  'engine/artifacts/property-host': 28,
  'doubles/smolvm-from-1.20': 75,
  'doubles/smolvm-1.0': 72,
  'doubles/smolvm-from-1.8': 71,
  'doubles/faults-container': 70,
  'doubles/faults-smolvm': 70,
  'faults/own-engine': 41,
  'e2e/ui-canned': 45,
  'engine/artifacts/interop': 33,
  'faults/crowd': 38,
  'e2e/ui-artifacts': 38,
  'engine/artifacts/registry': 25,
  'faults/corrupt-files': 38,
  'engine/conformance/docker': 35,
  'faults/artifact-full-disk': 34,
  'engine/snapshots/docker': 28,
  'engine/artifacts/import': 24,
  'engine/docker/recover': 23,
  'engine/docker/freeze': 21,
}

/** Pure: the recorded seconds of a test file; 0 for all that are short or new. */
export function recordedSeconds(file: string): number {
  const name = /tests\/(.+)\.test\.ts$/.exec(file.replaceAll('\\', '/'))?.[1] ?? ''
  return SECONDS[name] ?? 0
}

/** The names in the table, for the test that keeps it true. */
export const recordedFiles = (): readonly string[] => Object.keys(SECONDS)

/** Starts the long files first, the rest as vitest would. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((left, right) => recordedSeconds(right.moduleId) - recordedSeconds(left.moduleId))
  }
}
