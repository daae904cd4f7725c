import { useEffect, useState } from 'react'
import type { SnapshotDiff } from '../../src-preload/contract/artifacts.ts'
import type { Bottle, Snapshot } from '../../src-preload/contract/entities.ts'
import { hasUnfrozen } from '../snapshots/timeline-nodes.ts'
import { useApp, useChangeView, useView } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import type { DetailEntry } from '../state/details.ts'
import { Blank } from '../ui/blank.tsx'
import { IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { moment, signedBytes } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Problem, ProgressBar, Segmented } from '../ui/pieces.tsx'
import { ConfigList, PackageList } from './change-lists.tsx'
import { ChangeTree } from './change-tree-view.tsx'
import { type Comparison, comparisonKey } from './diff-cache.ts'

/** What differs between two moments of a bottle. */
export function ChangesTab({
  bottle,
  entry,
}: {
  readonly bottle: Bottle
  readonly entry: DetailEntry | undefined
}) {
  const { diffs } = useApp()
  const chosen = useView((view) => view.compare)
  const tree = entry?.detail?.tree
  const comparison = tree
    ? chosen?.slug === bottle.slug && isThere(chosen, tree)
      ? chosen
      : defaultComparison(bottle, tree)
    : null
  const key = comparison && comparisonKey(comparison)
  const state = useStore(diffs.store, (all) => (key ? all.get(key) : undefined))
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key tells all of the comparison
  useEffect(() => {
    if (!comparison) return
    // Two snapshots never change; the bottle as it is now does.
    const isFixed = comparison.from !== null && comparison.to !== null
    if (isFixed && diffs.store.get().get(comparisonKey(comparison))?.diff) return
    void diffs.load(comparison)
  }, [diffs, key])
  if (entry?.failure && !tree) {
    return (
      <Problem title={t.detail.failed} text={entry.failure.message} detail={entry.failure.detail ?? null} />
    )
  }
  if (!tree) return <p className="tab-wait faint">…</p>
  if (!comparison) {
    return <Blank isSmall icon="compare" title={t.changes.empty} text={t.changes.emptyText} />
  }
  return (
    <div className="changes">
      <Points
        tree={tree}
        comparison={comparison}
        isReading={state?.isReading ?? true}
        onAgain={() => void diffs.load(comparison)}
      />
      {state?.failure && (
        <div className="changes-problem">
          <Problem
            title={t.changes.failed}
            text={state.failure.message}
            detail={state.failure.detail ?? null}
          />
        </div>
      )}
      {state?.diff ? (
        <Outcome key={key} diff={state.diff} comparison={comparison} />
      ) : (
        !state?.failure && (
          <div className="changes-wait" role="status">
            <p className="faint">{t.changes.reading}</p>
            <ProgressBar share={null} label={t.changes.reading} />
          </div>
        )
      )}
    </div>
  )
}

function isThere({ from, to }: Comparison, tree: readonly Snapshot[]): boolean {
  return [from, to].every((id) => id === null || tree.some((snapshot) => snapshot.id === id))
}

/** The last freeze and now; for what is frozen, the last two freezes. */
function defaultComparison(bottle: Bottle, tree: readonly Snapshot[]): Comparison | null {
  const { slug, currentSnapshot } = bottle
  const current = tree.find((snapshot) => snapshot.id === currentSnapshot)
  if (!current) return null
  if (hasUnfrozen(bottle)) return { slug, from: current.id, to: null }
  const before = tree.find((snapshot) => snapshot.id === current.parent)
  return before ? { slug, from: before.id, to: current.id } : null
}

function Points(props: {
  readonly tree: readonly Snapshot[]
  readonly comparison: Comparison
  readonly isReading: boolean
  readonly onAgain: () => void
}) {
  const change = useChangeView()
  const { comparison } = props
  const newest = [...props.tree].sort((a, b) => b.createdAt.localeCompare(a.createdAt))
  const select = (side: 'from' | 'to', label: string) => (
    <label className="changes-point">
      <span>{label}</span>
      <select
        className="input"
        value={comparison[side] ?? ''}
        onChange={(event) =>
          change({
            compare: { ...comparison, [side]: event.target.value === '' ? null : event.target.value },
          })
        }
      >
        <option value="">{t.changes.now}</option>
        {newest.map((snapshot) => (
          <option key={snapshot.id} value={snapshot.id}>
            {snapshot.note || snapshot.label || moment(snapshot.createdAt)}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <div className="changes-points">
      {select('from', t.changes.from)}
      <Icon name="right" className="faint" />
      {select('to', t.changes.to)}
      <IconButton icon="restart" label={t.changes.compare} isBusy={props.isReading} onClick={props.onAgain} />
    </div>
  )
}

type Part = keyof typeof t.changes.part

function Outcome({ diff, comparison }: { readonly diff: SnapshotDiff; readonly comparison: Comparison }) {
  const counts: Readonly<Record<Part, number>> = {
    files: diff.totals.added + diff.totals.changed + diff.totals.removed,
    packages: diff.packages.length,
    config: diff.config.length,
    volumes: diff.volumes.length,
  }
  const parts = (Object.keys(counts) as Part[]).filter((part) => part === 'files' || counts[part] > 0)
  const [chosen, setPart] = useState<Part>('files')
  const first = parts.find((part) => counts[part] > 0)
  const part = counts[chosen] > 0 ? chosen : (first ?? 'files')
  if (!first) {
    return (
      <>
        <Notices notices={diff.notices} />
        <Blank isSmall icon="check" title={t.changes.none} text={t.changes.noneText} />
      </>
    )
  }
  const { added, changed, removed, bytes } = diff.totals
  return (
    <>
      <p className="changes-totals" role="status">
        <strong className="number">{signedBytes(bytes)}</strong>
        <span className="soft number">{t.changes.totals(added, changed, removed)}</span>
      </p>
      <Notices notices={diff.notices} />
      {parts.length > 1 && (
        <Segmented
          className="changes-parts"
          label={t.changes.parts}
          value={part}
          onChange={setPart}
          options={parts.map((value) => ({
            value,
            label: (
              <>
                {t.changes.part[value]} <span className="count number">{counts[value].toLocaleString()}</span>
              </>
            ),
          }))}
        />
      )}
      {part === 'files' && (
        <ChangeTree
          folders={diff.folders}
          entries={diff.entries}
          truncated={diff.truncated}
          comparison={comparison}
        />
      )}
      {part === 'volumes' && (
        <ChangeTree folders={[]} entries={diff.volumes} truncated={0} comparison={comparison} />
      )}
      {part === 'packages' && <PackageList packages={diff.packages} />}
      {part === 'config' && <ConfigList config={diff.config} />}
    </>
  )
}

function Notices({ notices }: { readonly notices: readonly string[] }) {
  if (notices.length === 0) return null
  return (
    <ul className="notices changes-notices">
      {notices.map((notice) => (
        <li key={notice}>
          <Icon name="info" />
          <span>{notice}</span>
        </li>
      ))}
    </ul>
  )
}
