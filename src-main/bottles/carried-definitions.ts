import { cp, mkdir } from 'node:fs/promises'
import type { SnapshotFacts } from '../artifacts/facts.ts'
import { isMissing, writeDurable } from '../state/durable-file.ts'
import type { StateRoot } from '../state/root.ts'

/** Folder of the definitions that an imported bottle brought along; there or not. */
export function definitionsDir(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'definitions')
}

/** Keeps what an artifact brings along, apart from this machine's own definitions. Names are checked before. */
export async function writeDefinitions(
  root: StateRoot,
  slug: string,
  definitions: SnapshotFacts['definitions'],
): Promise<void> {
  for (const kind of ['agents', 'bottles'] as const) {
    const entries = Object.entries(definitions[kind])
    if (entries.length === 0) continue
    await mkdir(root.path('state', slug, 'definitions', kind), { recursive: true, mode: 0o700 })
    for (const [name, text] of entries) {
      await writeDurable(root.path('state', slug, 'definitions', kind, `${name}.md`), text)
    }
  }
}

/** A fork goes on by the definitions that its source brought along. */
export async function copyDefinitions(root: StateRoot, from: string, to: string): Promise<void> {
  try {
    await cp(definitionsDir(root, from), definitionsDir(root, to), { recursive: true })
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
