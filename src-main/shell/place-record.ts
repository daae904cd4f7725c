import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readJsonObject, writeDurable } from '../state/durable-file.ts'
import { parsePlace, type WindowPlace } from './window-bounds.ts'

/** The place of the window from run to run. */
export interface PlaceRecord {
  /** As of the last run or the last change; null when there is none that makes sense. */
  readonly last: WindowPlace | null
  /** Keeps a place; many in a row, as while a window is dragged, are written as one. */
  keep(place: WindowPlace): void
  /** Resolves when what was kept lies on the disk. */
  flush(): Promise<void>
}

const SETTLE_MS = 500

/** Opens the record. A damaged one is only a place that is forgotten. */
export async function openPlaceRecord(file: string, warn: (error: unknown) => void): Promise<PlaceRecord> {
  const found = await readJsonObject(file)
  let last = found.kind === 'ok' ? parsePlace(found.value) : null
  let isWritten = true
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()

  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    if (isWritten) return writing
    isWritten = true
    const text = JSON.stringify(last)
    writing = writing
      .then(() => mkdir(dirname(file), { recursive: true }))
      .then(() => writeDurable(file, text))
      .catch(warn)
    return writing
  }
  return {
    get last() {
      return last
    },
    keep(place) {
      last = place
      isWritten = false
      timer ??= setTimeout(() => void flush(), SETTLE_MS)
    },
    flush,
  }
}
