import type { Machine, ToldState } from './machines.ts'
import type { Features } from './versions.ts'

/** A machine as `ls --json` and `status --json` tell it. Source: cli-contracts.md §2.4. */
export function machineJson(
  machine: Machine,
  state: ToldState,
  pid: number | null,
  features: Pick<Features, 'labels'>,
): Readonly<Record<string, unknown>> {
  const later = features.labels
    ? {
        cuda: machine.cuda,
        forkable: machine.forkable,
        cuda_fork_pool_size: null,
        cuda_vram_limit_mib: null,
        forkpoint_held: false,
        labels: machine.labels,
      }
    : {}
  return {
    name: machine.name,
    state,
    cpus: machine.cpus,
    memory_mib: machine.mem,
    pid,
    mounts: machine.mounts.length,
    ports: machine.ports.length,
    created_at: machine.createdAt,
    storage_gb: machine.storageGb,
    overlay_gb: machine.overlayGb,
    image: machine.image,
    entrypoint: machine.entrypoint,
    cmd: machine.cmd,
    ephemeral: machine.owner !== null,
    gpu: machine.gpu,
    gpu_vram_mib: null,
    ...later,
    restart_policy: 'never',
    restart_max_retries: 0,
    restart_count: 0,
    health_cmd: null,
    health_interval_secs: null,
    health_timeout_secs: null,
    health_retries: null,
    health_startup_grace_secs: null,
    network: machine.network,
  }
}
