import { useEffect, useState } from 'react'
import type { PruneResult } from '../../src-preload/contract/artifacts.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { useApp, useChangeView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { bytes } from '../ui/format.ts'
import { Problem, ProgressBar } from '../ui/pieces.tsx'

/** Shows what would go before anything goes. */
export function ThinDialog() {
  const { bridge } = useApp()
  const change = useChangeView()
  const [preview, setPreview] = useState<PruneResult | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isBusy, setBusy] = useState(false)
  useEffect(() => {
    let isOver = false
    void bridge.call('space:prune', { dryRun: true }).then((result) => {
      if (isOver) return
      if (result.ok) setPreview(result.value)
      else setFailure(result.error)
    })
    return () => {
      isOver = true
    }
  }, [bridge])
  const isEmpty = preview !== null && preview.snapshots.length === 0 && preview.storeBytes === 0
  const close = () => change({ overlay: null })
  const submit = async () => {
    setBusy(true)
    setFailure(null)
    const result = await bridge.call('space:prune', { dryRun: false })
    setBusy(false)
    if (result.ok) close()
    else setFailure(result.error)
  }
  return (
    <Dialog
      size="medium"
      title={t.thin.title}
      onClose={close}
      footer={
        <>
          <span className="room" />
          <Button autoFocus onClick={close}>
            {t.action.cancel}
          </Button>
          <Button
            kind="primary"
            icon="thin"
            isBusy={isBusy}
            disabled={!preview || isEmpty}
            onClick={() => void submit()}
          >
            {t.thin.submit}
          </Button>
        </>
      }
    >
      {failure && <Problem title={t.thin.failed} text={failure.message} detail={failure.detail ?? null} />}
      {!preview && !failure && (
        <div role="status" className="space-wait">
          <p className="faint">{t.thin.reading}</p>
          <ProgressBar share={null} label={t.thin.reading} />
        </div>
      )}
      {preview && <Preview preview={preview} isEmpty={isEmpty} />}
    </Dialog>
  )
}

function Preview({ preview, isEmpty }: { readonly preview: PruneResult; readonly isEmpty: boolean }) {
  return (
    <>
      <p className="soft">{t.thin.kept}</p>
      {isEmpty && <p role="status">{t.thin.nothing}</p>}
      {preview.snapshots.length > 0 && (
        <section>
          <div className="thin-head">
            <h3 className="field-label">{t.thin.list}</h3>
            <span className="soft number">
              {t.thin.sum(preview.snapshots.length, bytes(preview.trashedBytes))}
            </span>
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
          <ul className="artifact-list scroll" tabIndex={0} aria-label={t.thin.list}>
            {preview.snapshots.map((snapshot) => (
              <li key={`${snapshot.slug}@${snapshot.id}`} className="thin-line">
                <span className="one-line">
                  <strong>{snapshot.slug}</strong>
                  <span className="faint">@{snapshot.id}</span>
                </span>
                <span className="soft one-line thin-reason">{snapshot.reason}</span>
                <span className="number">{bytes(snapshot.bytes)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {preview.storeBytes > 0 && <p>{t.thin.store(bytes(preview.storeBytes))}</p>}
    </>
  )
}
