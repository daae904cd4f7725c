import '@xterm/xterm/css/xterm.css'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import { useEffect, useRef, useState } from 'react'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { useApp, useChangeView, useView } from '../state/app.ts'
import { Blank } from '../ui/blank.tsx'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { isActive, labelColor } from './bottle-look.ts'
import { canResume } from './bottle-verbs.ts'
import { holdTerminalStyles } from './terminal-styles.ts'

const LINES_KEPT = 5000

/** The terminal is dark in both themes, as its programs expect; every colour is legible on its ground. */
const COLORS = {
  background: '#0d1116',
  foreground: '#dce3ea',
  cursor: '#6bc8f7',
  cursorAccent: '#0d1116',
  selectionBackground: '#2d5570',
  black: '#3b4651',
  red: '#ff8f86',
  green: '#57d294',
  yellow: '#f0c060',
  blue: '#74b4ff',
  magenta: '#d79bf0',
  cyan: '#5fd3e4',
  white: '#c9d3dc',
  brightBlack: '#7f8d9b',
  brightRed: '#ffada6',
  brightGreen: '#86e6b4',
  brightYellow: '#ffd98a',
  brightBlue: '#a3ceff',
  brightMagenta: '#e8bfff',
  brightCyan: '#98e8f3',
  brightWhite: '#ffffff',
} as const

/** The terminal of a running bottle. Leaving it never ends the agent. */
export function TerminalTab({ bottle }: { readonly bottle: Bottle }) {
  const { operations } = useApp()
  const [attempt, setAttempt] = useState(0)
  const [end, setEnd] = useState<string | null>(null)
  if (!isActive(bottle)) {
    return (
      <Blank isSmall icon="terminal" title={t.terminal.notRunning} text={t.terminal.notRunningText}>
        {canResume(bottle) && (
          <Button kind="primary" icon="play" onClick={() => void operations.resume(bottle.slug)}>
            {t.action.resume}
          </Button>
        )}
      </Blank>
    )
  }
  if (bottle.state === 'starting') return <p className="tab-wait faint">{t.terminal.connecting}</p>
  if (!bottle.interactive && bottle.state === 'running') {
    return <Blank isSmall icon="logs" title={t.terminal.headless} text={t.terminal.headlessText} />
  }
  return (
    <div className="terminal-side">
      <TerminalScreen key={`${bottle.runId}${attempt}`} bottle={bottle} onEnd={setEnd} />
      {end === null ? (
        <p className="terminal-foot faint">{t.terminal.leaveHint}</p>
      ) : (
        <div className="terminal-foot" role="status">
          <span>{end}</span>
          <Button
            icon="restart"
            onClick={() => {
              setEnd(null)
              setAttempt(attempt + 1)
            }}
          >
            {t.action.reconnect}
          </Button>
        </div>
      )}
    </div>
  )
}

/** True when the tab was chosen with a pointer: typing then belongs to the terminal. Arrow keys only look. */
function wasPointedAt(): boolean {
  const active = document.activeElement
  return active?.closest('.detail') != null && !active.matches(':focus-visible')
}

function TerminalScreen({
  bottle,
  onEnd,
}: {
  readonly bottle: Bottle
  readonly onEnd: (reason: string) => void
}) {
  const { bridge } = useApp()
  const holder = useRef<HTMLDivElement>(null)
  const live = useRef<Terminal | null>(null)
  const isWanted = useView((view) => view.isTerminalWanted)
  const change = useChangeView()
  const { slug } = bottle
  const cursor = labelColor(bottle.color)
  useEffect(() => {
    if (!holder.current) return
    const releaseStyles = holdTerminalStyles()
    const terminal = new Terminal({
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono'),
      fontSize: 12,
      lineHeight: 1.25,
      scrollback: LINES_KEPT,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      macOptionIsMeta: true,
      theme: { ...COLORS, cursor: cursor ?? COLORS.cursor },
    })
    const fit = new FitAddon()
    terminal.loadAddon(fit)
    terminal.open(holder.current)
    terminal.textarea?.setAttribute('aria-label', t.terminal.label(slug))
    fit.fit()
    const stream = bridge.open(
      'terminal',
      { slug, cols: terminal.cols, rows: terminal.rows },
      {
        // Acknowledged when it is on the screen, so that a flood waits at its source.
        data: (chunk) => terminal.write(chunk, () => stream.ack(chunk.byteLength)),
        end: (error) => onEnd(error?.message ?? t.terminal.ended),
      },
    )
    terminal.onData((data) => stream.input(data))
    terminal.onBinary((data) => stream.input(data))
    terminal.onResize(({ cols, rows }) => stream.resize(cols, rows))
    terminal.attachCustomKeyEventHandler((event) => {
      if (event.key !== 'F6') return true
      if (event.type === 'keydown') {
        document.querySelector<HTMLElement>('.detail [role="tab"][aria-selected="true"]')?.focus()
        event.preventDefault()
      }
      return false
    })
    const observer = new ResizeObserver(() => fit.fit())
    observer.observe(holder.current)
    live.current = terminal
    if (wasPointedAt()) terminal.focus()
    return () => {
      observer.disconnect()
      stream.close()
      terminal.dispose()
      releaseStyles()
    }
  }, [bridge, slug, cursor, onEnd])
  useEffect(() => {
    if (!isWanted) return
    // After the menu or the sheet that asked for it has given the focus back.
    const frame = requestAnimationFrame(() => {
      live.current?.focus()
      change({ isTerminalWanted: false })
    })
    return () => cancelAnimationFrame(frame)
  }, [isWanted, change])
  return <div ref={holder} className="terminal-screen" data-keys="own" />
}
