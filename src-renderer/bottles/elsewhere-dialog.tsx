import { useState } from 'react'
import type { BackendName } from '../../src-preload/contract/entities.ts'
import { useApp, useChangeView, useModel } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { moment } from '../ui/format.ts'
import { Field } from '../ui/pieces.tsx'
import { backendName } from './bottle-look.ts'
import { Differences, EngineChoice, mayGo, useElsewherePlan } from './differences.tsx'

/** Resumes a bottle on another engine; everything that will be different is in sight before it starts. */
export function ElsewhereDialog(props: { readonly slug: string; readonly snapshot: string | null }) {
  const { slug, snapshot } = props
  const app = useApp()
  const change = useChangeView()
  const platform = useModel((model) => model.platform)
  const bottle = useModel((model) => model.bottles.get(slug))
  const tree = useStore(app.details.store, (all) => all.get(slug)?.detail?.tree)
  const chosen = tree?.find(({ id }) => id === (snapshot ?? bottle?.currentSnapshot))
  const [backend, setBackend] = useState<BackendName | ''>('')
  const [prompt, setPrompt] = useState('')
  const plan = useElsewherePlan({ slug, snapshot, backend })
  const from = (snapshot === null ? bottle?.backend : chosen?.backend) ?? ''
  const close = () => change({ overlay: null })
  const go = () => {
    if (backend === '') return
    close()
    const words = prompt.trim() ? { prompt } : { isInteractive: true }
    void app.operations.resume(slug, snapshot ?? undefined, { backend, ...words })
  }
  return (
    <Dialog
      title={t.elsewhere.title(slug)}
      size="medium"
      onClose={close}
      footer={
        <>
          <span className="room" />
          <Button onClick={close}>{t.action.cancel}</Button>
          <Button kind="primary" icon="play" disabled={!mayGo(plan)} onClick={go}>
            {backend === '' ? t.action.resume : t.elsewhere.submit(backendName(backend, platform))}
          </Button>
        </>
      }
    >
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          if (mayGo(plan)) go()
        }}
      >
        <div className="field">
          <span className="field-label">{t.fork.from}</span>
          <p className="soft">
            {chosen && snapshot
              ? `${chosen.note || chosen.label || chosen.id} · ${moment(chosen.createdAt)}`
              : t.fork.newest}
          </p>
        </div>
        <div className="field">
          <span className="field-label">{t.newBottle.engine}</span>
          <EngineChoice from={from} value={backend} onChange={setBackend} />
          {backend === '' && <div className="field-hint">{t.elsewhere.hint}</div>}
        </div>
        <Differences plan={plan} />
        {mayGo(plan) && (
          <Field label={t.newBottle.prompt} isOptional hint={t.elsewhere.promptHint}>
            {(id) => (
              <textarea
                id={id}
                className="input"
                rows={2}
                value={prompt}
                onChange={(event) => setPrompt(event.target.value)}
              />
            )}
          </Field>
        )}
      </form>
    </Dialog>
  )
}
