import { useEffect, useState } from 'react'
import type { SnapshotSize } from '../../src-preload/contract/artifacts.ts'
import { useApp, useChangeView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { bytes, moment } from '../ui/format.ts'
import { useSnapshot } from './use-snapshot.ts'

/** Asks before deleting one snapshot: which, and what that frees. A pinned one takes a second look. */
export function DeleteSnapshotDialog({
  slug,
  snapshot: id,
}: {
  readonly slug: string
  readonly snapshot: string
}) {
  const app = useApp()
  const change = useChangeView()
  const snapshot = useSnapshot(slug, id)
  const [isSure, setSure] = useState(false)
  const size = useSize(slug, id)
  const mayDelete = snapshot !== undefined && (!snapshot.pinned || isSure)
  const close = () => change({ overlay: null })
  const submit = () => {
    close()
    void app.operations.deleteSnapshot(slug, id)
  }
  return (
    <Dialog
      isAlert
      title={t.deleteSnapshot.title}
      onClose={close}
      footer={
        <>
          <Button autoFocus onClick={close}>
            {t.action.cancel}
          </Button>
          <span className="room" />
          <Button kind="danger" icon="trash" disabled={!mayDelete} onClick={submit}>
            {t.deleteSnapshot.submit}
          </Button>
        </>
      }
    >
      {snapshot && (
        <p className="artifact-what">
          <strong>{snapshot.note || snapshot.label || moment(snapshot.createdAt)}</strong>
          <span className="faint number">
            {slug} · {moment(snapshot.createdAt)}
          </span>
        </p>
      )}
      <p aria-live="polite">
        {size === 'asking'
          ? t.deleteSnapshot.counting
          : size === null
            ? t.deleteSnapshot.unknown
            : t.deleteSnapshot.frees(bytes(size.uniqueBytes))}
        {size !== 'asking' && size !== null && size.sharedBytes > 0 && (
          <span className="soft"> {t.deleteSnapshot.shared(bytes(size.sharedBytes))}</span>
        )}
      </p>
      <p className="soft">{t.deleteSnapshot.trash}</p>
      {snapshot?.pinned && (
        <label className="check-line">
          <input type="checkbox" checked={isSure} onChange={(event) => setSure(event.target.checked)} />
          {t.deleteSnapshot.pinned}
        </label>
      )}
    </Dialog>
  )
}

function useSize(slug: string, id: string): SnapshotSize | 'asking' | null {
  const { bridge } = useApp()
  const [size, setSize] = useState<SnapshotSize | 'asking' | null>('asking')
  useEffect(() => {
    let isOver = false
    void bridge.call('space:usage', {}).then((result) => {
      if (isOver) return
      const found = result.ok
        ? result.value.snapshots.find((item) => item.slug === slug && item.id === id)
        : undefined
      setSize(found ?? null)
    })
    return () => {
      isOver = true
    }
  }, [bridge, slug, id])
  return size
}
