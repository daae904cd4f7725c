// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import type { Bottle, RunInfo } from '../../src-preload/contract/entities.ts'
import { Blank } from '../ui/blank.tsx'
import { IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { moment } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Problem } from '../ui/pieces.tsx'
import { plainText, type Span, spansOf } from './ansi.ts'
import { useLog } from './use-log.ts'

const LINE_HEIGHT = 18

/** The output of a run: follows its end, can be searched, keeps a bounded number of lines. */
export function LogsTab({ bottle, runs }: { readonly bottle: Bottle; readonly runs: readonly RunInfo[] }) {
  const [run, setRun] = useState('')
  const [query, setQuery] = useState('')
  const [hit, setHit] = useState(0)
  const [isFollowing, setFollowing] = useState(true)
  const log = useLog(bottle.slug, run, `${bottle.runId} ${bottle.startedAt}`)
  const scroller = useRef<HTMLDivElement>(null)
  const count = log.buffer.count()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the buffer's content
  const hits = useMemo(() => log.buffer.find(query), [log.buffer, log.version, query])
  const hitLine = hits[Math.min(hit, hits.length - 1)]
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20,
  })

  // biome-ignore lint/correctness/useExhaustiveDependencies: every new line moves the end
  useEffect(() => {
    if (isFollowing && !query && count > 0) virtual.scrollToIndex(count - 1, { align: 'end' })
  }, [count, log.version, isFollowing, query])

  useEffect(() => {
    if (hitLine !== undefined && query) virtual.scrollToIndex(hitLine, { align: 'center' })
  }, [hitLine, query, virtual])

  const step = (by: number) => {
    if (hits.length) setHit((Math.min(hit, hits.length - 1) + by + hits.length) % hits.length)
  }
  const onScroll = () => {
    const element = scroller.current
    if (!element) return
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < LINE_HEIGHT * 2
    if (isAtEnd !== isFollowing && !query) setFollowing(isAtEnd)
  }

  return (
    <div className="logs">
      <div className="logs-bar">
        <div className="search small">
          <Icon name="search" />
          <input
            type="text"
            value={query}
            placeholder={t.logs.search}
            aria-label={t.logs.search}
            spellCheck={false}
            onChange={(event) => {
              setQuery(event.target.value)
              setHit(Number.MAX_SAFE_INTEGER)
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter') step(event.shiftKey ? -1 : 1)
              if (event.key === 'Escape' && query) {
                event.stopPropagation()
                setQuery('')
              }
            }}
          />
          {query && (
            <span className="faint number" role="status">
              {t.logs.hits(Math.min(hit, hits.length - 1) + 1, hits.length)}
            </span>
          )}
        </div>
        {query && <IconButton icon="up" label={t.logs.previous} onClick={() => step(-1)} />}
        {query && <IconButton icon="down" label={t.logs.next} onClick={() => step(1)} />}
        {runs.length > 1 && (
          <select
            className="select quiet"
            aria-label={t.logs.run}
            value={run}
            onChange={(event) => setRun(event.target.value)}
          >
            <option value="">{t.logs.lastRun}</option>
            {[...runs].reverse().map((item) => (
              <option key={item.id} value={item.id}>
                {moment(item.startedAt)}
              </option>
            ))}
          </select>
        )}
        <IconButton
          icon="follow"
          label={t.logs.follow}
          aria-pressed={isFollowing}
          className="toggle"
          onClick={() => setFollowing(!isFollowing)}
        />
      </div>
      {log.failure && (
        <Problem title={t.logs.failed} text={log.failure.message} detail={log.failure.detail ?? null} />
      )}
      {count === 0 && !log.failure && (
        <Blank isSmall icon="logs" title={t.logs.empty} text={t.logs.emptyText} />
      )}
      <div
        ref={scroller}
        className="logs-lines scroll"
        role="log"
        aria-live="off"
        aria-label={t.logs.label(bottle.slug)}
        tabIndex={0}
        onScroll={onScroll}
      >
        <div className="logs-room" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => (
            <LogLine
              key={item.index}
              text={log.buffer.line(item.index)}
              top={item.start}
              query={query}
              isHit={item.index === hitLine}
            />
          ))}
        </div>
      </div>
      <p className="logs-foot faint number">
        <span>{log.buffer.dropped() > 0 ? t.logs.dropped(log.buffer.dropped()) : t.logs.lines(count)}</span>
        {log.isOver && !log.failure && <span>{t.logs.ended}</span>}
      </p>
    </div>
  )
}

const LogLine = memo(function LogLine(props: {
  readonly text: string
  readonly top: number
  readonly query: string
  readonly isHit: boolean
}) {
  return (
    <div
      className="log-line selectable"
      data-hit={props.isHit || undefined}
      style={{ transform: `translateY(${props.top}px)` }}
    >
      {props.query ? marked(plainText(props.text), props.query) : spansOf(props.text).map(drawn)}
    </div>
  )
})

function drawn(span: Span, index: number): ReactNode {
  const classes = [
    span.color === null ? '' : `ansi-${span.color}`,
    span.isBold ? 'bold' : '',
    span.isDim ? 'dim' : '',
  ]
  const className = classes.filter(Boolean).join(' ')
  if (!className) return span.text
  return (
    <span key={`${index}${span.text}`} className={className}>
      {span.text}
    </span>
  )
}

function marked(text: string, query: string): ReactNode {
  const at = text.toLowerCase().indexOf(query.toLowerCase())
  if (at < 0) return text
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + query.length)}</mark>
      {marked(text.slice(at + query.length), query)}
    </>
  )
}
