import { watch } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import type { StateRoot } from './root.ts'

function folder(root: StateRoot): string {
  return root.path('icebox', 'changes')
}

/**
 * Tells every watching process that a bottle's records changed, by touching one small file: one folder watch
 * serves any number of bottles. Best effort, since watchers also look by themselves now and then.
 */
export function notifyChange(root: StateRoot, slug: string): void {
  const file = root.path('icebox', 'changes', slug)
  void writeFile(file, '').catch(async () => {
    // Not recursive: a state root that was removed meanwhile must not come back.
    await mkdir(folder(root)).catch(() => undefined)
    await writeFile(file, '').catch(() => undefined)
  })
}

/** Calls back with the slug of each change, or null when any bottle may have changed. Ends with the signal. */
export async function watchChanges(
  root: StateRoot,
  onChange: (slug: string | null) => void,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder(root), { recursive: true })
  const watchers = [
    watch(folder(root), (_event, name) => onChange(name)),
    // Bottles that another program makes or removes show up as entries of this folder.
    watch(root.path('state'), (_event, name) => onChange(name?.startsWith('.') ? null : name)),
  ]
  for (const watcher of watchers) watcher.on('error', () => onChange(null))
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  for (const watcher of watchers) watcher.close()
}
