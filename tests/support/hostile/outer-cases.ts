import type { HostileCase } from './cases.ts'
import { DOCUMENTS } from './outer-document-cases.ts'
import { FACTS } from './outer-facts-cases.ts'
import { COMPRESSED, SAVED } from './outer-saved-cases.ts'
import { ENTRIES, TAR } from './outer-tar-cases.ts'

export const OUTER_CASES: readonly HostileCase[] = [
  ...TAR,
  ...ENTRIES,
  ...DOCUMENTS,
  ...COMPRESSED,
  ...SAVED,
  ...FACTS,
]
