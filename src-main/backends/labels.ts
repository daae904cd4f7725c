/** Owner marks on every engine object that Icebox makes. Empty counts as absent: a commit can only blank a label. */
export const LABEL = {
  root: 'dev.icebox.root',
  slug: 'dev.icebox.slug',
  run: 'dev.icebox.run',
  role: 'dev.icebox.role',
  /** On a volume: the manifest's name for it, empty for an anonymous one. */
  volume: 'dev.icebox.volume',
  /** On a volume: where it is mounted. */
  destination: 'dev.icebox.destination',
  /** On a committed image: its snapshot id, its whole record, and the state root that it belongs to. */
  snapshot: 'dev.icebox.snapshot',
  record: 'dev.icebox.record',
  snapshotRoot: 'dev.icebox.snapshot-root',
  /** On a built image; other keys than the owner's, because containers inherit an image's labels. */
  buildRoot: 'dev.icebox.build-root',
  buildSlug: 'dev.icebox.build-slug',
  /** On what a flattening makes on its way: root and slug, so that a crash leaves it findable. */
  scratch: 'dev.icebox.scratch',
  /** On what a proof of restore makes: the state root, and the process that removes it again. */
  boot: 'dev.icebox.boot',
  bootOwner: 'dev.icebox.boot-owner',
} as const

/** Where a run's own files are in a container; nothing of them gets into a snapshot. */
export const RUN_DIR = '/run/icebox'

const PREFIX = 'bot-bottle-'

export const containerName = (slug: string) => `${PREFIX}${slug}`
export const committedPrefix = `${PREFIX}committed-`
export const snapshotTag = (slug: string, snapshotId: string) => `${committedPrefix}${slug}:${snapshotId}`

/** The slug in a container's name, or null when the name is not one of a bottle. */
export function slugFromName(name: string): string | null {
  const plain = name.replace(/^\//, '')
  if (!plain.startsWith(PREFIX)) return null
  const slug = plain.slice(PREFIX.length)
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) ? slug : null
}

export const hasBottleName = (name: string) => name.replace(/^\//, '').startsWith(PREFIX)

/** A label's value; null when absent or blanked. */
export function labelOf(
  labels: Readonly<Record<string, string>> | null | undefined,
  key: string,
): string | null {
  return labels?.[key] || null
}

/** The three labels by which an object is found to be ours. */
export function ownerLabels(owner: {
  readonly rootId: string
  readonly slug: string
  readonly runId: string
}): Record<string, string> {
  return { [LABEL.root]: owner.rootId, [LABEL.slug]: owner.slug, [LABEL.run]: owner.runId }
}

/** True for text that can name an image: registry, path, tag, digest or id. */
export const isImageName = (text: string) =>
  /^[a-zA-Z0-9][a-zA-Z0-9_./:@-]*$/.test(text) && !text.includes('..')
