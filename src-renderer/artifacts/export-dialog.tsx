import { useState } from 'react'
import type { CompressionName } from '../../src-preload/contract/artifacts.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { useApp, useChangeView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { bytes, moment } from '../ui/format.ts'
import { Problem, Segmented } from '../ui/pieces.tsx'
import { useSnapshot } from './use-snapshot.ts'

const COMPRESSIONS: readonly CompressionName[] = ['gzip', 'zstd', 'none']

/** What goes into the file, then a task; the file is saved when it is ready. */
export function ExportDialog({ slug, snapshot: id }: { readonly slug: string; readonly snapshot: string }) {
  const app = useApp()
  const change = useChangeView()
  const snapshot = useSnapshot(slug, id)
  const [content, setContent] = useState<'full' | 'thin'>('full')
  const [compression, setCompression] = useState<CompressionName>('gzip')
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isBusy, setBusy] = useState(false)
  const close = () => change({ overlay: null })
  const submit = async () => {
    setBusy(true)
    setFailure(null)
    const result = await app.transfer.send({
      kind: 'export',
      args: { slug, snapshot: id, compression, thin: content === 'thin' },
    })
    setBusy(false)
    if (result.ok) close()
    else setFailure(result.error)
  }
  return (
    <Dialog
      title={t.exportDialog.title(slug)}
      onClose={close}
      footer={
        <>
          <span className="room" />
          <Button onClick={close}>{t.action.cancel}</Button>
          <Button kind="primary" icon="export" autoFocus isBusy={isBusy} onClick={() => void submit()}>
            {t.exportDialog.submit}
          </Button>
        </>
      }
    >
      {failure && (
        <Problem
          title={t.artifact.failed.export(slug)}
          text={failure.message}
          detail={failure.detail ?? null}
        />
      )}
      <p className="soft">{t.exportDialog.lead}</p>
      {snapshot && (
        <p className="artifact-what">
          <strong>{snapshot.note || snapshot.label || moment(snapshot.createdAt)}</strong>
          <span className="faint number">{t.exportDialog.size(bytes(snapshot.bytes))}</span>
        </p>
      )}
      <div className="field">
        <span className="field-label">{t.exportDialog.content}</span>
        <Segmented
          label={t.exportDialog.content}
          value={content}
          onChange={setContent}
          options={[
            { value: 'full', label: t.exportDialog.full },
            { value: 'thin', label: t.exportDialog.thin },
          ]}
        />
        <div className="field-hint">
          {content === 'full' ? t.exportDialog.fullHint : t.exportDialog.thinHint}
        </div>
      </div>
      <div className="field">
        <span className="field-label">{t.exportDialog.compression}</span>
        <Segmented
          label={t.exportDialog.compression}
          value={compression}
          onChange={setCompression}
          options={COMPRESSIONS.map((value) => ({ value, label: t.exportDialog.compressions[value] }))}
        />
        <div className="field-hint">{t.exportDialog.compressionHint[compression]}</div>
      </div>
      {snapshot && snapshot.leftOut.length > 0 && (
        <section>
          <h3 className="field-label">{t.exportDialog.leftOut}</h3>
          <ul className="artifact-list">
            {snapshot.leftOut.map((item) => (
              <li key={item}>{item}</li>
            ))}
          </ul>
        </section>
      )}
    </Dialog>
  )
}
