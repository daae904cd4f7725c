import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from './run-command.ts'

/** How full the machine's battery is; Electron tells only whether one is in use. */
export interface Battery {
  readonly percent: number
  readonly isDischarging: boolean
}

const SUPPLIES = '/sys/class/power_supply'
const TIMEOUT_MS = 5000

/** The machine's battery, or null where there is none or none that can be read. */
export async function readBattery(
  platform: string = process.platform,
  supplies: string = SUPPLIES,
): Promise<Battery | null> {
  if (platform === 'linux') return readSupplies(supplies)
  if (platform !== 'darwin') return null
  try {
    const { stdout } = await runCommand('/usr/bin/pmset', ['-g', 'batt'], { timeout: TIMEOUT_MS })
    return parsePmset(stdout)
  } catch {
    return null
  }
}

/** What `pmset -g batt` says. Pure. */
export function parsePmset(text: string): Battery | null {
  const battery = /InternalBattery.*?\b(\d{1,3})%;\s*([^;]+);/.exec(text)
  if (!battery) return null
  return { percent: Number(battery[1]), isDischarging: battery[2]?.trim() === 'discharging' }
}

async function readSupplies(folder: string): Promise<Battery | null> {
  const names = await readdir(folder).catch(() => [])
  const all = await Promise.all(names.map((name) => readSupply(join(folder, name))))
  const found = all.filter((battery) => battery !== null)
  const [first] = found
  if (!first) return null
  // A laptop with two empties one after the other.
  const percent = Math.round(found.reduce((sum, battery) => sum + battery.percent, 0) / found.length)
  return { percent, isDischarging: found.some(({ isDischarging }) => isDischarging) }
}

async function readSupply(folder: string): Promise<Battery | null> {
  const read = (name: string): Promise<string> =>
    readFile(join(folder, name), 'utf8').then(
      (text) => text.trim(),
      () => '',
    )
  const [type, scope, capacity, status] = await Promise.all(['type', 'scope', 'capacity', 'status'].map(read))
  // A mouse has a battery too.
  if (type !== 'Battery' || scope === 'Device' || !capacity || !/^\d{1,3}$/.test(capacity)) return null
  return { percent: Number(capacity), isDischarging: status === 'Discharging' }
}
