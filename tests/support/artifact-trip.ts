import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CompressionName, ExportResult, ImportResult } from '../../src-preload/contract/index.ts'
import type { TestBottles } from './test-bottles.ts'

/** Exports the current snapshot of a bottle; findings of secrets don't stop it. */
export function exportTo(
  { icebox, context }: TestBottles,
  slug: string,
  file: string,
  compression: CompressionName = 'gzip',
): Promise<ExportResult> {
  const request = { slug, compression, thin: false, scrub: 'keep' } as const
  return icebox.artifacts.export(request, { file }, context())
}

export function importFrom({ icebox, context }: TestBottles, file: string): Promise<ImportResult> {
  return icebox.artifacts.import({ file }, {}, context())
}

/** Deletes everything that the store holds, as if nothing was ever exported. */
export async function emptyStore({ home }: TestBottles): Promise<void> {
  await rm(join(home.dir, 'artifacts'), { recursive: true, force: true })
}

/** Takes a frozen bottle to another state root by a file and away from its own, images and all. */
export async function carry(
  from: TestBottles,
  slug: string,
  to: TestBottles,
  compression: CompressionName = 'gzip',
): Promise<string> {
  const file = join(to.home.dir, `${slug}.bottle`)
  await exportTo(from, slug, file, compression)
  await from.icebox.bottles.destroy({ slug, purge: true }, from.context())
  const imported = await importFrom(to, file)
  await rm(file)
  return imported.slug
}
