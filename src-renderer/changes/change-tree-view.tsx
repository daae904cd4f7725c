// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which list elements can't be
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import type { DiffEntry, DiffFolder } from '../../src-preload/contract/artifacts.ts'
import { useChangeView } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { signedBytes } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { type ChangeNode, type ChangeRow, changeRows, changeTree, openAtFirst } from './change-tree.ts'
import type { Comparison } from './diff-cache.ts'

const ROW = 28

/** Changed paths as a tree with sums and bars. Enter opens a folder, or the text of a file. */
export function ChangeTree(props: {
  readonly folders: readonly DiffFolder[]
  readonly entries: readonly DiffEntry[]
  readonly truncated: number
  readonly comparison: Comparison
}) {
  const change = useChangeView()
  const tree = useMemo(() => changeTree(props.folders, props.entries), [props.folders, props.entries])
  const [open, setOpen] = useState(() => openAtFirst(tree))
  const [chosen, setChosen] = useState<string | null>(null)
  const rows = useMemo(() => changeRows(tree, open), [tree, open])
  const scroller = useRef<HTMLDivElement>(null)
  const mustFocus = useRef(false)
  const at = Math.max(
    0,
    rows.findIndex((row) => row.node.path === chosen),
  )
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  })
  useEffect(() => {
    if (!mustFocus.current) return
    mustFocus.current = false
    scroller.current?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus()
  })
  const toggle = (node: ChangeNode, isOpen: boolean) =>
    setOpen((now) => {
      const next = new Set(now)
      if (isOpen) next.add(node.path)
      else next.delete(node.path)
      return next
    })
  const act = ({ node, isOpen }: ChangeRow) => {
    setChosen(node.path)
    if (node.children.length > 0) toggle(node, !isOpen)
    else if (node.entry?.type === 'file')
      change({ overlay: { kind: 'file-diff', comparison: props.comparison, path: node.path } })
  }
  const go = (index: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))]
    if (!row) return
    mustFocus.current = true
    setChosen(row.node.path)
    virtual.scrollToIndex(rows.indexOf(row))
  }
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const row = rows[at]
    if (!row) return
    const isFolder = row.node.children.length > 0
    const steps: Readonly<Record<string, () => void>> = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      Enter: () => act(row),
      ' ': () => act(row),
      ArrowRight: () => (isFolder && !row.isOpen ? toggle(row.node, true) : isFolder && go(at + 1)),
      ArrowLeft: () =>
        isFolder && row.isOpen
          ? toggle(row.node, false)
          : go(rows.findLastIndex((other, index) => index < at && other.level < row.level)),
    }
    const step = steps[event.key]
    if (!step || event.metaKey || event.ctrlKey || event.altKey) return
    event.preventDefault()
    mustFocus.current = true
    step()
  }
  return (
    <>
      <div ref={scroller} className="change-tree scroll">
        <div
          role="tree"
          aria-label={t.changes.tree}
          className="timeline-room"
          style={{ height: virtual.getTotalSize() }}
          onKeyDown={onKeyDown}
        >
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index]
            return (
              row && (
                <Line
                  key={row.node.path}
                  row={row}
                  top={item.start}
                  isChosen={item.index === at}
                  onAct={() => act(row)}
                />
              )
            )
          })}
        </div>
      </div>
      {props.truncated > 0 && <p className="changes-more faint">{t.changes.truncated(props.truncated)}</p>}
    </>
  )
}

function Line(props: {
  readonly row: ChangeRow
  readonly top: number
  readonly isChosen: boolean
  readonly onAct: () => void
}) {
  const { node, level, isOpen, share } = props.row
  const hasMore = node.children.length > 0
  const kind = node.entry?.kind ?? null
  const isReadable = node.entry?.type === 'file'
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it handles the keys
    <div
      role="treeitem"
      aria-level={level}
      aria-expanded={hasMore ? isOpen : undefined}
      aria-selected={props.isChosen}
      tabIndex={props.isChosen ? 0 : -1}
      className="change"
      data-kind={kind ?? undefined}
      data-acts={hasMore || isReadable || undefined}
      style={{ transform: `translateY(${props.top}px)`, height: ROW, paddingLeft: 10 + (level - 1) * 14 }}
      title={node.path}
      onClick={props.onAct}
    >
      {hasMore ? <Icon name={isOpen ? 'down' : 'right'} /> : <KindMark kind={kind} />}
      <span className="change-name one-line">
        {node.name}
        {(hasMore || node.entry?.type === 'folder') && <span className="faint">/</span>}
      </span>
      {node.folder && <Counts folder={node.folder} />}
      <span className="change-bar" aria-hidden="true">
        {share > 0.005 && <i data-less={node.bytes < 0 || undefined} style={{ width: `${share * 100}%` }} />}
      </span>
      <span className="change-size number">{node.bytes === 0 ? '' : signedBytes(node.bytes)}</span>
    </div>
  )
}

const MARKS: Readonly<Record<DiffEntry['kind'], string>> = {
  added: '+',
  changed: '~',
  removed: '−',
  metadata: '·',
}

function KindMark({ kind }: { readonly kind: DiffEntry['kind'] | null }) {
  if (!kind) return <span className="change-mark" />
  return (
    <span className={`change-mark ${kind}`}>
      <span aria-hidden="true">{MARKS[kind]}</span>
      <span className="hidden-but-read">{t.changes.kind[kind]}</span>
    </span>
  )
}

function Counts({ folder }: { readonly folder: DiffFolder }) {
  return (
    <span
      className="change-counts number"
      title={t.changes.totals(folder.added, folder.changed, folder.removed)}
    >
      {folder.added > 0 && <span className="added">+{folder.added.toLocaleString()}</span>}
      {folder.changed > 0 && <span className="changed">~{folder.changed.toLocaleString()}</span>}
      {folder.removed > 0 && <span className="removed">−{folder.removed.toLocaleString()}</span>}
    </span>
  )
}
