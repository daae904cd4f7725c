import type { ArtifactStore } from '../artifacts/store/types.ts'
import type { SettingsStore } from '../state/settings.ts'
import type { Workers } from '../workers/types.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { Artifacts } from './artifact-services.ts'
import type { BottleDeps } from './deps.ts'

/** What is missing of ArtifactDeps: store and workers are opened here, once and on first need. */
export interface ArtifactParts extends BottleDeps {
  readonly settings: () => Promise<SettingsStore>
}

/** What all services stand on. */
export function artifactDeps(parts: ArtifactParts): ArtifactDeps {
  const openStore = async (): Promise<ArtifactStore> =>
    (await import('../artifacts/store/open-store.ts')).openArtifactStore(parts.root)
  return { ...parts, store: once(openStore), workers: once(openWorkers) }
}

/**
 * Builds the artifact services. Modules are loaded on first use: no other command pays for them. What a dead process
 * left of a bottle is reconciled before anything is done with its snapshots.
 */
export function createArtifacts(deps: ArtifactDeps): Artifacts {
  const settle = async (slug: string, signal: AbortSignal): Promise<void> =>
    (await import('./settle.ts')).settleBottle(deps, slug, signal)
  return {
    export: async (request, target, context) => {
      await settle(request.slug, context.signal)
      return (await import('./export-bottle.ts')).exportBottle(deps, request, target, context)
    },
    import: async (source, options, context) =>
      (await import('./import-bottle.ts')).importBottle(deps, source, options, context),
    push: async (request, context) => {
      await settle(request.slug, context.signal)
      return (await import('./push-bottle.ts')).pushBottle(deps, request, context)
    },
    pull: async (request, context) => (await import('./pull-bottle.ts')).pullBottle(deps, request, context),
    searchSecrets: async (target, context) => {
      await settle(target.slug, context.signal)
      return (await import('./search-secrets.ts')).searchSnapshotSecrets(deps, target, context)
    },
    diff: async (from, to, context) =>
      (await import('./diff-snapshots.ts')).diffSnapshots(deps, from, to, {}, context),
    diffFile: async (from, to, path, context) =>
      (await import('./diff-snapshots.ts')).diffFile(deps, from, to, path, context),
    verify: async (target, context) => {
      await settle(target.slug, context.signal)
      return (await import('./verify-snapshot.ts')).verifySnapshot(deps, target, context)
    },
    deleteSnapshot: async (target, context) => {
      await settle(target.slug, context.signal)
      return (await import('./delete-snapshot.ts')).deleteSnapshot(deps, target, context)
    },
    keepCopy: async (snapshot, context) => {
      const { readSettings } = await import('../state/settings.ts')
      if ((await readSettings(deps.root)).keepPortableCopies !== true) return
      await (await import('./keep-copy.ts')).keepPortableCopy(deps, snapshot, context)
    },
    usage: async (signal) => (await import('./space-usage.ts')).spaceUsage(deps, signal),
    prune: async (request, context) => (await import('./prune.ts')).prune(deps, request, context),
  }
}

async function openWorkers(): Promise<Workers> {
  return (await import('../workers/workers.ts')).createWorkers()
}

/** Opens at the first call; a failure is tried again at the next. */
function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
}
