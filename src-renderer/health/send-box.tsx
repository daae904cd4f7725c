import { type KeyboardEvent, useState } from 'react'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { useApp } from '../state/app.ts'
import { createStore, useStore } from '../state/create-store.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { Problem } from '../ui/pieces.tsx'

/** What was typed and not sent, by bottle: a look elsewhere must not cost it. */
const drafts = createStore<ReadonlyMap<string, string>>(new Map())

/** A line for the agent: Enter sends it, Shift+Enter makes another line. */
export function SendBox(props: {
  readonly bottle: Bottle
  readonly isWaiting: boolean
  /** What it asks is in sight. */
  readonly hasQuestion: boolean
  readonly onSent: () => void
}) {
  const { bridge } = useApp()
  const { slug } = props.bottle
  const text = useStore(drafts, (all) => all.get(slug) ?? '')
  const [isBusy, setBusy] = useState(false)
  const [isSent, setSent] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const write = (next: string) => {
    setSent(false)
    drafts.update((all) => new Map(all).set(slug, next))
  }
  // Who sees the question answers it; what is typed without one must not hit something else by chance.
  const isSeen = !props.isWaiting || props.hasQuestion
  const send = async (now: boolean) => {
    if (isBusy || text.trim() === '') return
    setBusy(true)
    const result = await bridge.call('agent:send', { slug, text, now })
    setBusy(false)
    setFailure(result.ok ? null : result.error)
    if (!result.ok) return
    write('')
    setSent(true)
    props.onSent()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    void send(isSeen)
  }
  return (
    <form
      className="send-box"
      onSubmit={(event) => {
        event.preventDefault()
        void send(isSeen)
      }}
    >
      <div className="send-line">
        <textarea
          className="input"
          rows={1}
          aria-label={t.health.sendLabel}
          placeholder={
            props.isWaiting && props.hasQuestion ? t.health.sendPlaceholder : t.health.sendPlaceholderBusy
          }
          value={text}
          spellCheck={false}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <Button
          kind={props.isWaiting ? 'primary' : 'plain'}
          icon="send"
          type="submit"
          isBusy={isBusy}
          disabled={text.trim() === ''}
        >
          {t.health.send}
        </Button>
      </div>
      {!props.isWaiting && text !== '' && <p className="faint small">{t.health.sendBusy}</p>}
      <p className="hidden-but-read" role="status">
        {isSent ? t.health.sent : ''}
      </p>
      {failure?.code === 'busy' && (
        <Problem title={t.health.sendFailed(slug)} text={t.health.sendRefused} detail={failure.message}>
          <Button onClick={() => void send(true)}>{t.health.sendAnyway}</Button>
        </Problem>
      )}
      {failure && failure.code !== 'busy' && (
        <Problem title={t.health.sendFailed(slug)} text={failure.message} detail={failure.detail ?? null} />
      )}
    </form>
  )
}
