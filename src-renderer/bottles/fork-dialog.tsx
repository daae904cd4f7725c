import { useState } from 'react'
import type { BackendName } from '../../src-preload/contract/entities.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { useApp, useChangeView, useModel } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { moment } from '../ui/format.ts'
import { Field, Problem } from '../ui/pieces.tsx'
import { Differences, EngineChoice, mayGo, useElsewherePlan } from './differences.tsx'

const MOST = 50

/** Makes new bottles from a snapshot, or from the newest state. */
export function ForkDialog({ slug, snapshot }: { readonly slug: string; readonly snapshot: string | null }) {
  const app = useApp()
  const change = useChangeView()
  const tree = useStore(app.details.store, (all) => all.get(slug)?.detail?.tree)
  const [count, setCount] = useState(1)
  const [prompt, setPrompt] = useState('')
  const [label, setLabel] = useState('')
  const [backend, setBackend] = useState<BackendName | ''>('')
  const plan = useElsewherePlan({ slug, snapshot, backend })
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isBusy, setBusy] = useState(false)
  const bottle = useModel((model) => model.bottles.get(slug))
  const from = tree?.find((item) => item.id === snapshot)
  const close = () => change({ overlay: null })
  const fork = async () => {
    setBusy(true)
    setFailure(null)
    const result = await app.operations.fork({
      slug,
      count,
      ...(snapshot ? { snapshot } : {}),
      ...(prompt.trim() ? { prompt } : {}),
      ...(label.trim() ? { label: label.trim() } : {}),
      ...(backend ? { backend } : {}),
    })
    setBusy(false)
    if (result.ok) close()
    else setFailure(result.error)
  }
  return (
    <Dialog
      title={t.fork.title(slug)}
      onClose={close}
      footer={
        <>
          <span className="room" />
          <Button onClick={close}>{t.action.cancel}</Button>
          <Button
            kind="primary"
            icon="fork"
            isBusy={isBusy}
            disabled={backend !== '' && !mayGo(plan)}
            onClick={() => void fork()}
          >
            {t.fork.submit(count)}
          </Button>
        </>
      }
    >
      {failure && <Problem title={t.fork.failed} text={failure.message} detail={failure.detail ?? null} />}
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          void fork()
        }}
      >
        <div className="field">
          <span className="field-label">{t.fork.from}</span>
          <p className="soft">
            {from
              ? `${from.note || from.label || from.id} · ${moment(from.createdAt)}`
              : (snapshot ?? t.fork.newest)}
          </p>
        </div>
        <div className="form-pair">
          <Field label={t.fork.label} isOptional>
            {(id) => (
              <input
                id={id}
                className="input"
                value={label}
                maxLength={52}
                placeholder={`${slug}-2`}
                spellCheck={false}
                autoComplete="off"
                onChange={(event) => setLabel(event.target.value)}
              />
            )}
          </Field>
          <Field label={t.fork.count}>
            {(id) => (
              <div className="stepper">
                <IconButton
                  icon="down"
                  label={`${t.fork.count} −`}
                  disabled={count <= 1}
                  onClick={() => setCount(count - 1)}
                />
                <input
                  id={id}
                  className="number"
                  inputMode="numeric"
                  value={count}
                  onChange={(event) =>
                    setCount(Math.min(MOST, Math.max(1, Number.parseInt(event.target.value, 10) || 1)))
                  }
                />
                <IconButton
                  icon="up"
                  label={`${t.fork.count} +`}
                  disabled={count >= MOST}
                  onClick={() => setCount(count + 1)}
                />
              </div>
            )}
          </Field>
        </div>
        <div className="field">
          <span className="field-label">{t.newBottle.engine}</span>
          <EngineChoice
            from={from?.backend ?? bottle?.backend ?? ''}
            value={backend}
            stay={t.elsewhere.stay}
            onChange={setBackend}
          />
        </div>
        <Differences plan={plan} />
        <Field label={t.fork.prompt} isOptional hint={t.fork.promptHint}>
          {(id) => (
            <textarea
              id={id}
              className="input"
              rows={3}
              value={prompt}
              onChange={(event) => setPrompt(event.target.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
  )
}
