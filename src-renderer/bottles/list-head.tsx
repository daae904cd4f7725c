// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which table elements can't be
// biome-ignore-all lint/a11y/useFocusableInteractive: the row takes the focus, its cells don't
import { useChangeView, useView } from '../state/app.ts'
import type { SortKey } from '../state/view.ts'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'

const COLUMNS: readonly SortKey[] = [
  'state',
  'name',
  'agent',
  'model',
  'context',
  'engine',
  'snapshots',
  'size',
  'frozen',
  'started',
]
const STARTS_DESCENDING: ReadonlySet<SortKey> = new Set(['context', 'snapshots', 'size', 'frozen', 'started'])

/** The column headers: each sorts by its column, and the other way when pressed again. */
export function ListHead(props: {
  readonly isAllTicked: boolean
  readonly isSomeTicked: boolean
  readonly onTickAll: () => void
}) {
  const sort = useView((view) => view.sort)
  const change = useChangeView()
  const sortBy = (key: SortKey) =>
    change({
      sort: { key, isDescending: sort.key === key ? !sort.isDescending : STARTS_DESCENDING.has(key) },
    })
  return (
    <div role="rowgroup" className="list-head">
      <div role="row" className="row-grid" aria-rowindex={1}>
        <div role="columnheader" className="cell-tick">
          <input
            type="checkbox"
            aria-label={t.list.selectAll}
            checked={props.isAllTicked}
            ref={(box) => {
              if (box) box.indeterminate = props.isSomeTicked && !props.isAllTicked
            }}
            onChange={props.onTickAll}
          />
        </div>
        {COLUMNS.map((key) => {
          const isSorted = sort.key === key
          return (
            <div
              key={key}
              role="columnheader"
              className={`cell-${key}`}
              aria-sort={isSorted ? (sort.isDescending ? 'descending' : 'ascending') : 'none'}
            >
              <button type="button" className="head-button" onClick={() => sortBy(key)}>
                <span className="one-line">{t.column[key]}</span>
                {isSorted && <Icon name={sort.isDescending ? 'down' : 'up'} />}
              </button>
            </div>
          )
        })}
      </div>
    </div>
  )
}
