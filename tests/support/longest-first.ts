import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Seconds that the long files took beside others on two cores. A long file that starts last keeps one core waiting for
 * the other; a fresh checkout knows no times of its own, and the size of a file says nothing of them.
 */
const SECONDS: Readonly<Record<string, number>> = {
  'unit/packaging/pack': 22,
  'unit/agents/turns/turns-script': 19,
  'unit/artifacts/import/hostile': 15,
  'unit/agents/hooks/run-hooks': 10,
  'unit/workers/scan': 10,
  'unit/artifacts/import/import-bottle': 9,
  'engine/artifacts/interop': 55,
  'engine/agents/supervisor': 54,
  'engine/artifacts/export': 50,
  'engine/agents/startup': 46,
  'engine/artifacts/registry': 46,
  'engine/artifacts/property-docker': 41,
  'engine/snapshots/docker': 39,
  'engine/conformance/docker': 38,
  'engine/agents/status': 34,
  'engine/agents/sessions': 33,
  'engine/artifacts/import': 31,
  'engine/docker/freeze': 29,
  'engine/docker/launch': 29,
  'engine/agents/access-docker': 28,
  'engine/conformance/cross-backend': 27,
  'engine/artifacts/property-host': 26,
  'engine/docker/recover': 25,
  'engine/docker/portable-read': 21,
  'engine/agents/supervisor-rules': 20,
  'engine/agents/access-host': 17,
  'engine/agents/starts': 17,
  'engine/agents/turns': 15,
  'engine/docker/engine': 14,
  'engine/host/freeze': 14,
  'engine/agents/mounted-folder': 13,
  'engine/cli/process': 13,
  'engine/docker/portable-boot': 13,
  'engine/cli/artifacts': 12,
  'engine/cli/life': 11,
  'engine/host/hooks': 11,
  'engine/artifacts/scrub': 10,
  'engine/docker/portable-sizes': 10,
  'engine/host/recover': 10,
  'engine/interop': 10,
  'engine/docker/portable-load': 9,
  'doubles/smolvm-1.0': 66,
  'doubles/faults-container': 63,
  'doubles/faults-smolvm': 61,
  'doubles/smolvm-from-1.20': 60,
  'doubles/smolvm-from-1.8': 53,
  'doubles/smolvm-freeze': 36,
  'doubles/container-from-1.2': 32,
  'doubles/cross-backend': 24,
  'doubles/container-before-1.2': 23,
  'doubles/container-freeze': 20,
  'doubles/double-container': 20,
  'doubles/container-adapter': 13,
  'doubles/double-smolvm-live': 13,
  'doubles/smolvm-adapter': 13,
  'doubles/container-recover': 12,
  'doubles/double-container-data': 11,
  'e2e/ui-canned': 61,
  'e2e/ui-artifacts': 51,
  'e2e/ui-agents': 38,
  'e2e/ui-real': 38,
  'e2e/artifacts-real': 19,
  'e2e/serve-security': 14,
  'e2e/ui-drag': 14,
  'desktop/drag': 45,
  'desktop/window': 23,
  'desktop/packed': 15,
  'desktop/tray': 15,
  'desktop/frame': 12,
  'desktop/second-instance': 12,
  'desktop/quit': 9,
  'faults/kill-docker-launches': 132,
  'faults/kill-docker-others': 124,
  'faults/kill-artifacts': 104,
  'faults/supervise': 88,
  'faults/own-engine': 80,
  'faults/kill-host-others': 72,
  'faults/artifact-full-disk': 55,
  'faults/crowd': 51,
  'faults/kill-host-launches': 42,
  'faults/artifact-crowd': 39,
  'faults/corrupt-files': 27,
  'faults/spoilt-store': 22,
  'faults/kill-terminal': 15,
  'faults/full-disk': 14,
}

/** Pure: the recorded seconds of a test file; 0 for all that are short or new. */
export function recordedSeconds(file: string): number {
  const name = /tests\/(.+)\.test\.ts$/.exec(file.replaceAll('\\', '/'))?.[1] ?? ''
  return SECONDS[name] ?? 0
}

/** The names in the table, for the test that keeps it true. */
export const recordedFiles = (): readonly string[] => Object.keys(SECONDS)

const longestFirst = (files: readonly TestSpecification[]): TestSpecification[] =>
  files.toSorted((left, right) => recordedSeconds(right.moduleId) - recordedSeconds(left.moduleId))

/** Starts the long files first, the rest as vitest would; those that share a process last, since a row of them keeps it. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isAlone = (file: TestSpecification) => file.project.config.isolate
    return [...longestFirst(sorted.filter(isAlone)), ...longestFirst(sorted.filter((file) => !isAlone(file)))]
  }
}
