import { sha256 } from '../../images/digest.ts'
import { chainIds } from './image-index.ts'

/** Which layer a folder of the old save form holds. */
export interface SavedNames {
  /** Takes in the text of `<id>/json`; entries come in any order. */
  learn(id: string, text: string): void
  /** Position from the bottom, null while it can't be told. */
  indexOf(id: string): number | null
}

/** What engines before 25 write for every layer but the top one: nothing of the image is in it. */
const BLANK = {
  created: '1970-01-01T00:00:00Z',
  container_config: {
    Hostname: '',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Image: '',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
  },
}

/**
 * The old form names layers by ids of its own and tells only at its end which is which. The ids are digests of chain
 * id and parent, so they are worked out beforehand; a layer is told only when the archive's own words confirm it.
 */
export function savedNames(diffIds: readonly string[]): SavedNames {
  const chain = chainIds(diffIds)
  const topIndex = chain.length - 1
  let lower = lowerIds(chain, BLANK)
  let topId: string | null = null
  return {
    learn(id, text) {
      const found = parse(text)
      if (!found) return
      // Another time zone or version writes other blanks.
      if (!lower.includes(id) && isBlankLike(found)) {
        const other = lowerIds(chain, found)
        if (other.includes(id)) lower = other
      }
      if (!lower.includes(id) && (found.parent ?? null) === (lower[topIndex - 1] ?? null)) topId = id
    },
    indexOf(id) {
      if (id === topId) return topIndex
      const at = lower.indexOf(id)
      return at === -1 ? null : at
    },
  }
}

interface SavedJson {
  readonly created?: unknown
  readonly container_config?: unknown
  readonly config?: unknown
  readonly parent?: string
}

const isBlankLike = ({ created, config }: SavedJson) =>
  config === undefined && typeof created === 'string' && Date.parse(created) === 0

function lowerIds(chain: readonly string[], { created, container_config }: SavedJson): readonly string[] {
  const ids: string[] = []
  for (const layerId of chain.slice(0, -1)) {
    const parent = ids.at(-1)
    // The keys in order, as the engine writes them.
    const fields = {
      container_config,
      created,
      layer_id: layerId,
      ...(parent === undefined ? {} : { parent: `sha256:${parent}` }),
    }
    ids.push(sha256(JSON.stringify(fields)).slice('sha256:'.length))
  }
  return ids
}

function parse(text: string): SavedJson | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as SavedJson) : null
  } catch {
    return null
  }
}
