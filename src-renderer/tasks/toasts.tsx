import { useEffect, useState } from 'react'
import { useApp } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import type { Toast } from './toast-store.ts'

const STAYS = 8000

const ICONS: Readonly<Record<Toast['tone'], IconName>> = {
  good: 'check',
  ice: 'snow',
  bad: 'warning',
  plain: 'info',
}

/** Toasts at the bottom right, read out by a live region that is always there. */
export function Toasts() {
  const { toasts } = useApp()
  const list = useStore(toasts.store, (all) => all)
  const newest = list.at(-1)
  return (
    <>
      <div className="hidden-but-read" role="status" aria-live="polite">
        {newest && newest.tone !== 'bad' && `${newest.title}. ${newest.text}`}
      </div>
      <div className="hidden-but-read" role="alert" aria-live="assertive">
        {newest?.tone === 'bad' && `${newest.title}. ${newest.text}`}
      </div>
      <section className="toasts" aria-label={t.notifications}>
        <ol>
          {list.map((toast) => (
            <ToastCard key={toast.id} toast={toast} onClose={() => toasts.remove(toast.id)} />
          ))}
        </ol>
      </section>
    </>
  )
}

/** Good news leaves by itself, unless somebody looks at it; bad news stays until it is read. */
function ToastCard({ toast, onClose }: { readonly toast: Toast; readonly onClose: () => void }) {
  const [isHeld, setHeld] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new close function must not restart the time
  useEffect(() => {
    if (isHeld || toast.tone === 'bad') return
    const timer = setTimeout(onClose, STAYS)
    return () => clearTimeout(timer)
  }, [isHeld, toast])
  return (
    <li
      className={`toast ${toast.tone}`}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Icon name={ICONS[toast.tone]} className="toast-mark" />
      <div className="toast-words">
        <strong>{toast.title}</strong>
        {toast.text && <p className="selectable">{toast.text}</p>}
        {toast.detail && (
          <details>
            <summary>{t.details}</summary>
            <pre className="scroll">{toast.detail}</pre>
          </details>
        )}
      </div>
      <div className="toast-actions">
        {toast.actions.map((action) => (
          <Button
            key={action.label}
            kind="link"
            onClick={() => {
              action.run()
              onClose()
            }}
          >
            {action.label}
          </Button>
        ))}
        <IconButton icon="close" label={t.action.close} onClick={onClose} />
      </div>
    </li>
  )
}
