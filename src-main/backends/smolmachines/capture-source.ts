import { basename } from 'node:path'
import type { MachineSource } from './grammar.ts'

/** How smolvm makes a machine of a snapshot's file. Pure. */
export function sourceOf(path: string): MachineSource {
  const name = basename(path)
  if (name.endsWith('.tar')) return { kind: 'archive', path }
  return { kind: name.endsWith('checkpoint') ? 'checkpoint' : 'pack', path }
}
