import type { Bottle } from '../../src-preload/contract/entities.ts'
import type { OperationContext } from '../bottles/services.ts'
import type { Icebox } from '../icebox.ts'
import { confirm, pick } from './ask.ts'
import type { Face } from './face.ts'
import { openProgress, type ProgressLine } from './progress.ts'
import { stateCell } from './state-word.ts'
import { usageError } from './usage.ts'

/** Opens Icebox for one command and always closes it. `mustExist`: makes no state root where there is none. */
export async function withIcebox<T>(
  face: Face,
  use: (icebox: Icebox) => Promise<T>,
  { mustExist = false }: { readonly mustExist?: boolean } = {},
): Promise<T> {
  if (face.home?.trim() === '') throw usageError('--home is empty.')
  const { createIcebox } = await import('../icebox.ts')
  const icebox = await createIcebox({ home: face.home, mustExist })
  try {
    return await use(icebox)
  } finally {
    await icebox.close()
  }
}

/** Runs an operation with progress on stderr; the line is gone when it ends, however it ends. */
export async function operate<T>(
  face: Face,
  options: { readonly yes?: boolean | undefined },
  operation: (context: OperationContext, progress: ProgressLine) => Promise<T>,
): Promise<T> {
  const progress = openProgress(face)
  const context: OperationContext = {
    signal: face.signal,
    progress: (report) => progress.report(report),
    notice: (text) => {
      progress.clear()
      void face.warn(text)
    },
    confirm: (question) => {
      progress.clear()
      return confirm(face, question, options.yes === true)
    },
  }
  try {
    return await operation(context, progress)
  } finally {
    progress.clear()
  }
}

/** The slug as given, or one picked at the terminal from the bottles that fit. */
export async function slugOrPick(
  face: Face,
  icebox: Icebox,
  given: string | undefined,
  fits: (bottle: Bottle) => boolean = () => true,
): Promise<string> {
  if (given !== undefined) return given
  if (!face.canAsk) throw usageError('Name a bottle; `icebox list` shows them.')
  const bottles = await icebox.bottles.list(face.signal)
  return pick(
    face,
    'bottle',
    bottles.filter(fits).map((bottle) => ({
      value: bottle.slug,
      label: `${bottle.slug}  ${stateCell(bottle, face.unicode).text}`,
      hint: bottle.agent,
    })),
  )
}
