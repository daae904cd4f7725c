import { SCAN_LIMITS, type ScanLimits } from '../../workers/types.ts'

/** Bytes of a JSON document inside an archive; real ones have a few kB. */
export const JSON_MAX = 4 * 1024 * 1024
/** Layers of an image; engines refuse more than 127. */
export const LAYERS_MAX = 1000
/** Entries of the archive itself: a few per layer. */
export const ENTRIES_MAX = 20_000

/** What an archive may cost, from the settings. */
export interface ImportLimits {
  /** All layers and volumes together, uncompressed, and the archive itself. */
  readonly bytes: number
  readonly scan: ScanLimits
  /** Bytes of the disk that must stay free. */
  readonly freeBytes: number
}

/** The limits that the settings give. Pure. */
export function importLimits(settings: Readonly<Record<string, unknown>>): ImportLimits {
  const number = (key: string, fallback: number): number => {
    const value = settings[key]
    return typeof value === 'number' && value > 0 ? value : fallback
  }
  const bytes = number('importMaxGigabytes', 1024) * 1024 ** 3
  return {
    bytes,
    freeBytes: number('minFreeMB', 0) * 1_000_000,
    scan: {
      ...SCAN_LIMITS,
      bytes,
      entries: number('importMaxEntries', SCAN_LIMITS.entries),
      ratio: number('importMaxRatio', SCAN_LIMITS.ratio),
      ratioFrom: number('importRatioFromMB', SCAN_LIMITS.ratioFrom / 1024 ** 2) * 1024 ** 2,
    },
  }
}
