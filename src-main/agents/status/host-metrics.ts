import { statfs } from 'node:fs/promises'
import { cpus, freemem, loadavg, totalmem } from 'node:os'

/** Load, memory and disk of this machine; of the whole machine, so never part of what a change of an agent means. */
export async function hostMetrics(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const [load1, load5, load15] = loadavg()
  const count = cpus().length
  const total = totalmem()
  const free = freemem()
  const disk = await statfs(folder).catch(() => null)
  const used = disk && disk.blocks > 0 ? percent(disk.blocks - disk.bavail, disk.blocks) : null
  return {
    cpu_count: count,
    // By the load of the last minute: measuring would take as long as all the rest.
    cpu_used_percent: count > 0 && load1 !== undefined ? Math.min(100, percent(load1, count)) : null,
    load1,
    load5,
    load15,
    mem_used_percent: percent(total - free, total),
    mem_total: total,
    mem_free: free,
    disk_used_percent: used,
  }
}

function percent(part: number, whole: number): number {
  return Math.round((part / whole) * 1000) / 10
}
