/** How the verbs that write snapshots are called. Lists only; pure. Source: cli-contracts.md §2.5, §2.6. */

export interface PackRequest {
  readonly machine: string
  /** Without an ending: the pack lies beside it, as `<output>.smolmachine`. */
  readonly output: string
  /** A pack does not take them from the machine. */
  readonly cpus: number
  readonly memoryMib: number
  readonly includeWorkspace: boolean
  /** Null where the version has no such flag. */
  readonly stagingDir: string | null
}

/** The file that smolvm makes beside a pack's stub. */
export const sidecarOf = (output: string): string => `${output}.smolmachine`

export function packArguments(request: PackRequest): readonly string[] {
  return [
    ...['pack', 'create', '--from-vm', request.machine, '-o', request.output],
    ...['--cpus', String(request.cpus), '--mem', String(request.memoryMib)],
    ...(request.includeWorkspace ? ['--include-workspace'] : []),
    ...(request.stagingDir === null ? [] : ['--staging-dir', request.stagingDir]),
  ]
}

/** `output` ends in `.smolcheckpoint`, which every version takes; it must not exist. */
export function checkpointArguments(machine: string, output: string): readonly string[] {
  return ['machine', 'checkpoint', '--name', machine, '-o', output]
}
