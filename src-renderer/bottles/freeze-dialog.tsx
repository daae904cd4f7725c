import { useState } from 'react'
import { useApp, useChangeView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { Field } from '../ui/pieces.tsx'

/** Freezes with a note; a plain freeze needs no dialog. */
export function FreezeDialog({ slug }: { readonly slug: string }) {
  const { operations } = useApp()
  const change = useChangeView()
  const [note, setNote] = useState('')
  const close = () => change({ overlay: null })
  const freeze = () => {
    close()
    void operations.freeze(slug, note.trim())
  }
  return (
    <Dialog
      title={t.freeze.title(slug)}
      onClose={close}
      footer={
        <>
          <span className="room" />
          <Button onClick={close}>{t.action.cancel}</Button>
          <Button kind="primary" icon="snow" onClick={freeze}>
            {t.action.freeze}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          freeze()
        }}
      >
        <Field label={t.freeze.note} hint={t.freeze.noteHint}>
          {(id) => (
            <input
              id={id}
              className="input"
              autoFocus
              maxLength={500}
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
  )
}
