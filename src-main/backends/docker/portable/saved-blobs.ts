/** Which layer a blob of an OCI layout holds. */
export interface SavedBlobs {
  /** Takes in the text of a JSON blob: configs and manifests tell, others don't matter. Any order. */
  learn(digest: string, text: string): void
  /** Position from the bottom, null while it can't be told. */
  indexOf(digest: string): number | null
}

/**
 * Uncompressed blobs are named by the layer's own digest. Compressed ones (the containerd image store) are told by
 * the manifest whose config lists this image's layers.
 */
export function savedBlobs(diffIds: readonly string[]): SavedBlobs {
  const found = new Map(diffIds.map((diffId, index) => [diffId, index]))
  const configs = new Set<string>()
  const manifests: { readonly config: string; readonly layers: readonly string[] }[] = []
  return {
    learn(digest, text) {
      const value = parse(text)
      if (isSame(value?.rootfs?.diff_ids, diffIds)) configs.add(digest)
      const layers = listOf(value?.layers)?.map((layer) =>
        String((layer as { digest?: unknown } | null)?.digest),
      )
      const config = value?.config?.digest
      if (layers && typeof config === 'string') manifests.push({ config, layers })
      for (const manifest of manifests) {
        if (!configs.has(manifest.config) || manifest.layers.length !== diffIds.length) continue
        for (const [index, layer] of manifest.layers.entries()) if (!found.has(layer)) found.set(layer, index)
      }
    },
    indexOf: (digest) => found.get(digest) ?? null,
  }
}

interface BlobJson {
  readonly rootfs?: { readonly diff_ids?: unknown } | null
  readonly config?: { readonly digest?: unknown } | null
  readonly layers?: unknown
}

function parse(text: string): BlobJson | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as BlobJson) : null
  } catch {
    return null
  }
}

const listOf = (value: unknown): readonly unknown[] | null => (Array.isArray(value) ? value : null)

function isSame(given: unknown, right: readonly string[]): boolean {
  const left = listOf(given)
  return left?.length === right.length && left.every((value, at) => value === right[at])
}
