// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which table elements can't be
// biome-ignore-all lint/a11y/useFocusableInteractive: the row takes the focus, its cells don't
import { useState } from 'react'
import type { Snapshot } from '../../src-preload/contract/entities.ts'
import { useApp } from '../state/app.ts'
import { IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'

/** Edits a snapshot's note in its row: Enter saves, Esc leaves it as it was. */
export function NoteField(props: {
  readonly slug: string
  readonly snapshot: Snapshot
  readonly onDone: () => void
}) {
  const { operations, details } = useApp()
  const [text, setText] = useState(props.snapshot.note)
  const [isSaving, setSaving] = useState(false)
  const save = async () => {
    setSaving(true)
    const isSaved = await operations.editSnapshot({
      slug: props.slug,
      snapshot: props.snapshot.id,
      note: text.trim(),
    })
    setSaving(false)
    if (!isSaved) return
    await details.load(props.slug)
    props.onDone()
  }
  return (
    <div role="gridcell" className="note-edit">
      <input
        className="input"
        // biome-ignore lint/a11y/noAutofocus: the person just asked to write here
        autoFocus
        value={text}
        maxLength={500}
        aria-label={t.timeline.noteLabel}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          event.stopPropagation()
          if (event.key === 'Enter') void save()
          if (event.key === 'Escape') props.onDone()
        }}
      />
      <IconButton icon="check" label={t.action.save} isBusy={isSaving} onClick={() => void save()} />
      <IconButton icon="close" label={t.action.cancel} onClick={props.onDone} />
    </div>
  )
}
