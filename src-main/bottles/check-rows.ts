import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tri } from '../../src-preload/contract/agents.ts'

/** One thing that a start needs. Unknown is what nobody can tell without starting. */
export interface CheckRow {
  readonly check: string
  readonly state: Tri
  readonly message: string
  /** What would mend it; null when nothing is wrong. */
  readonly fix: string | null
}

export function yes(check: string, message: string): CheckRow {
  return { check, state: 'yes', message, fix: null }
}

export function no(check: string, message: string, fix: string | null): CheckRow {
  return { check, state: 'no', message, fix }
}

export function unknown(check: string, message: string, fix: string | null): CheckRow {
  return { check, state: 'unknown', message, fix }
}

/** What there is at the path; null for nothing that can be looked at. */
export async function kindOf(...parts: readonly string[]): Promise<'file' | 'folder' | null> {
  const found = await stat(join(...parts)).catch(() => null)
  if (found?.isFile()) return 'file'
  return found?.isDirectory() ? 'folder' : null
}
