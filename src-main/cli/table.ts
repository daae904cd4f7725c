import type { Colour, Paint } from './style.ts'
import { cutText, oneLine, textWidth } from './width.ts'

export interface Cell {
  readonly text: string
  readonly colour?: Colour | undefined
}

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => Cell | string
  readonly align?: 'left' | 'right'
  /** Narrowed down to this many cells when the table is too wide; without it the column keeps its width. */
  readonly shrinkTo?: number
}

const GAP = 2

/**
 * An aligned table, one line per row and never wider than `width` (undefined: as wide as it needs).
 * Columns without any text are left out.
 */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: { readonly width?: number | undefined; readonly paint: Paint },
): string {
  const filled = columns
    .map((column) => ({ column, cells: rows.map((row) => asCell(column.cell(row))) }))
    .filter(({ cells }) => cells.some((cell) => cell.text !== ''))
  const widths = filled.map(({ column, cells }) =>
    Math.max(textWidth(column.title), ...cells.map((cell) => textWidth(cell.text))),
  )
  if (options.width !== undefined)
    shrink(
      widths,
      filled.map(({ column }) => column.shrinkTo),
      options.width,
    )
  const line = (pick: (index: number) => Cell): string => {
    let used = 0
    let text = ''
    filled.forEach(({ column }, index) => {
      const room = options.width === undefined ? Number.POSITIVE_INFINITY : options.width - used
      if (room <= 0) return
      const cell = pick(index)
      const width = Math.min(widths[index] ?? 0, room)
      const shown = cutText(cell.text, width)
      const pad = ' '.repeat(Math.max(0, width - textWidth(shown)))
      const painted = cell.colour ? options.paint(cell.colour, shown) : shown
      text += column.align === 'right' ? pad + painted : painted + pad
      used += width + GAP
      if (index < filled.length - 1) text += ' '.repeat(Math.max(0, Math.min(GAP, room - width)))
    })
    return text.trimEnd()
  }
  const head = line((index) => ({ text: filled[index]?.column.title ?? '', colour: 'dim' }))
  const body = rows.map((_row, at) => line((index) => filled[index]?.cells[at] ?? { text: '' }))
  return [head, ...body].join('\n')
}

function asCell(cell: Cell | string): Cell {
  return typeof cell === 'string' ? { text: oneLine(cell) } : { ...cell, text: oneLine(cell.text) }
}

/** Takes cells from the widest shrinkable column, one at a time, until the table fits or nothing can give. */
function shrink(widths: number[], limits: readonly (number | undefined)[], target: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1) - target
  while (excess > 0) {
    let widest = -1
    widths.forEach((width, index) => {
      const limit = limits[index]
      if (limit === undefined || width <= limit) return
      if (widest < 0 || width > (widths[widest] ?? 0)) widest = index
    })
    if (widest < 0) return
    widths[widest] = (widths[widest] ?? 0) - 1
    excess -= 1
  }
}
