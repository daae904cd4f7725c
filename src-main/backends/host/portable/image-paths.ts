/** Where a bottle's trees lie in its image. Source: state-and-artifacts.md, "Host ↔ container". */
export const IMAGE_WORKSPACE = '/workspace'
export const IMAGE_HOME = '/home/agent'

/**
 * In a layer, a name that begins with `.wh.` means that a file is gone. A bottle's own file of such a name travels
 * with one more dot in front, and so do names that look like the outcome: nothing is lost and nothing collides.
 */
const RESERVED = /\/(\.+wh\.)/g
const ESCAPED = /\/\.(\.+wh\.)/g

/** `home/x` → `home/agent/x`, as the path is called in the layer. Pure. */
export function toImagePath(path: string): string {
  return path.replace(/^home(?=\/|$)/, 'home/agent').replace(RESERVED, '/.$1')
}

/** The way back. Pure. */
export function toTreePath(path: string): string {
  return path.replace(/^home\/agent(?=\/|$)/, 'home').replace(ESCAPED, '/$1')
}

/** The same two mappings for tar's own substitution; BSD's tar wants them without the first letter. */
export const TO_IMAGE = ['s,^home,home/agent,', 's,/\\(\\.\\.*wh\\.\\),/.\\1,g'] as const
export const TO_TREE = ['s,^home/agent,home,', 's,/\\.\\(\\.\\.*wh\\.\\),/\\1,g'] as const
