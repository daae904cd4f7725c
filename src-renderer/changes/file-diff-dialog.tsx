import { useEffect, useMemo, useState } from 'react'
import type { FileDiff } from '../../src-preload/contract/artifacts.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { useApp, useChangeView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { Problem, ProgressBar } from '../ui/pieces.tsx'
import type { Comparison } from './diff-cache.ts'
import { type DiffLine, diffLines } from './diff-lines.ts'

/** The unified text diff of one file. */
export function FileDiffDialog({
  comparison,
  path,
}: {
  readonly comparison: Comparison
  readonly path: string
}) {
  const { bridge } = useApp()
  const change = useChangeView()
  const [file, setFile] = useState<FileDiff | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const { slug, from, to } = comparison
  useEffect(() => {
    let isOver = false
    const points = { from: { slug, snapshot: from }, to: { slug, snapshot: to } }
    void bridge.call('snapshot:diff-file', { ...points, path }).then((result) => {
      if (isOver) return
      if (result.ok) setFile(result.value)
      else setFailure(result.error)
    })
    return () => {
      isOver = true
    }
  }, [bridge, slug, from, to, path])
  const close = () => change({ overlay: null })
  return (
    <Dialog
      size="wide"
      title={path}
      onClose={close}
      footer={
        <>
          <span className="room" />
          <Button kind="primary" autoFocus onClick={close}>
            {t.action.close}
          </Button>
        </>
      }
    >
      {failure && <Problem title={t.changes.failed} text={failure.message} detail={failure.detail ?? null} />}
      {!failure && !file && (
        <div role="status">
          <p className="faint">{t.changes.readingFile}</p>
          <ProgressBar share={null} label={t.changes.readingFile} />
        </div>
      )}
      {file && (file.text ? <Text text={file.text} /> : <p>{file.reason ?? t.changes.sameFile}</p>)}
    </Dialog>
  )
}

function Text({ text }: { readonly text: string }) {
  const lines = useMemo(() => diffLines(text), [text])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className="file-diff scroll" tabIndex={0} aria-label={t.changes.part.files}>
      {lines.map((line) => (
        <div key={line.key} className={`diff-line ${line.kind}`}>
          <span className="diff-number number" aria-hidden="true">
            {line.before}
          </span>
          <span className="diff-number number" aria-hidden="true">
            {line.after}
          </span>
          <span className="diff-sign" aria-hidden="true">
            {SIGNS[line.kind]}
          </span>
          <code className="selectable">{line.text}</code>
        </div>
      ))}
    </section>
  )
}

const SIGNS: Readonly<Record<DiffLine['kind'], string>> = {
  add: '+',
  remove: '−',
  same: '',
  hunk: '',
  note: '',
}
