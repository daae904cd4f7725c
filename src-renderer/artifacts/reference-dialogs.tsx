import { type ReactNode, useState } from 'react'
import type { Failure, Result } from '../../src-preload/contract/errors.ts'
import { useApp, useChangeView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import type { IconName } from '../ui/icons.tsx'
import { Field, Problem } from '../ui/pieces.tsx'

/** Asks for the address in a registry, and starts the task. */
export function PushDialog({ slug, snapshot }: { readonly slug: string; readonly snapshot: string }) {
  const { transfer } = useApp()
  return (
    <ReferenceDialog
      title={t.pushDialog.title(slug)}
      field={t.pushDialog.reference}
      hint={t.pushDialog.hint}
      submit={t.pushDialog.submit}
      icon="push"
      failed={t.artifact.failed.push(slug)}
      run={(reference) => transfer.send({ kind: 'push', args: { slug, snapshot, reference } })}
    />
  )
}

/** Asks what to take in, and starts the task. */
export function PullDialog() {
  const { transfer } = useApp()
  const [label, setLabel] = useState('')
  return (
    <ReferenceDialog
      title={t.pullDialog.title}
      field={t.pullDialog.reference}
      submit={t.pullDialog.submit}
      icon="follow"
      failed={t.artifact.failed.pull}
      run={(reference) => transfer.pull({ reference, ...(label.trim() ? { label: label.trim() } : {}) })}
    >
      <Field label={t.pullDialog.label} isOptional hint={t.pullDialog.labelHint}>
        {(id) => (
          <input
            id={id}
            className="input"
            maxLength={200}
            value={label}
            onChange={(event) => setLabel(event.target.value)}
          />
        )}
      </Field>
    </ReferenceDialog>
  )
}

function ReferenceDialog(props: {
  readonly title: string
  readonly field: string
  readonly hint?: string
  readonly submit: string
  readonly icon: IconName
  readonly failed: string
  readonly run: (reference: string) => Promise<Result<unknown>>
  readonly children?: ReactNode
}) {
  const change = useChangeView()
  const [reference, setReference] = useState('')
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isBusy, setBusy] = useState(false)
  const isEmpty = reference.trim() === ''
  const close = () => change({ overlay: null })
  const submit = async () => {
    if (isEmpty || isBusy) return
    setBusy(true)
    setFailure(null)
    const result = await props.run(reference.trim())
    setBusy(false)
    if (result.ok) close()
    else setFailure(result.error)
  }
  return (
    <Dialog
      title={props.title}
      onClose={close}
      footer={
        <>
          <span className="room" />
          <Button onClick={close}>{t.action.cancel}</Button>
          <Button
            kind="primary"
            icon={props.icon}
            isBusy={isBusy}
            disabled={isEmpty}
            onClick={() => void submit()}
          >
            {props.submit}
          </Button>
        </>
      }
    >
      {failure && <Problem title={props.failed} text={failure.message} detail={failure.detail ?? null} />}
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <Field label={props.field} hint={props.hint}>
          {(id) => (
            <input
              id={id}
              className="input"
              autoFocus
              spellCheck={false}
              autoComplete="off"
              maxLength={500}
              placeholder={t.pushDialog.placeholder}
              value={reference}
              onChange={(event) => setReference(event.target.value)}
            />
          )}
        </Field>
        {props.children}
        <button type="submit" hidden />
      </form>
    </Dialog>
  )
}
