import { stat } from 'node:fs/promises'
import { readText } from '../../state/durable-file.ts'
import type { ProcessIdentity } from '../../system/process-identity.ts'
import type { ExitFact } from '../backend.ts'

const GONE: ProcessIdentity = { pid: 0, startTime: '', bootId: '' }

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** How the agent ended, as its runner wrote it down; null when it did not, or not yet. */
export async function readExit(file: string, startedAt: string): Promise<ExitFact | null> {
  const written = await readText(file)
  // Blanks wait for the result from the launch on.
  if (written === undefined || written.trim() === '') return null
  try {
    const { exitCode, endedAt } = JSON.parse(written) as { exitCode?: unknown; endedAt?: unknown }
    // The runner may have had no clock any more when it was stopped; the file's own time stands in.
    const told = text(endedAt) || (await stat(file)).mtime.toISOString()
    // Whole seconds may lie before a start that was noted in milliseconds.
    const at = Date.parse(told) >= Date.parse(startedAt) ? told : startedAt
    return { exitCode: typeof exitCode === 'number' ? exitCode : null, endedAt: at }
  } catch {
    // An unreadable result is an unknown one, never a missing one.
    return { exitCode: null, endedAt: startedAt }
  }
}

/** Reads what a record says of a process; what is damaged names none at all. Pure. */
export function parseIdentity(value: unknown): ProcessIdentity {
  if (typeof value !== 'object' || value === null) return GONE
  const { pid, startTime, bootId } = value as Partial<Record<keyof ProcessIdentity, unknown>>
  const isWhole =
    typeof pid === 'number' && Number.isInteger(pid) && pid > 1 && text(startTime) && text(bootId)
  return isWhole ? { pid, startTime: text(startTime), bootId: text(bootId) } : GONE
}
