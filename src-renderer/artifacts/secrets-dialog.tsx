import type { ScrubChoice, SecretFinding } from '../../src-preload/contract/artifacts.ts'
import { useApp, useChangeView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import type { Asked } from './file-transfer.ts'

const SHOWN = 50

/** What was found and where, and the choice: strip, keep, or leave it. */
export function SecretsDialog({
  outgoing,
  findings,
}: {
  readonly outgoing: Asked
  readonly findings: readonly SecretFinding[]
}) {
  const { transfer, drag } = useApp()
  const change = useChangeView()
  const close = () => change({ overlay: null })
  const choose = (scrub: ScrubChoice) => {
    close()
    if (outgoing.kind === 'prepare') drag.choose(outgoing.args, scrub)
    else void transfer.sendScrubbed(outgoing, scrub)
  }
  return (
    <Dialog
      isAlert
      size="medium"
      title={t.secrets.title}
      onClose={close}
      footer={
        <>
          <Button onClick={close}>{t.action.cancel}</Button>
          <span className="room" />
          <Button className="danger-word" onClick={() => choose('keep')}>
            {t.secrets.keep}
          </Button>
          <Button kind="primary" icon="shield" autoFocus onClick={() => choose('strip')}>
            {t.secrets.strip}
          </Button>
        </>
      }
    >
      <p>{t.secrets.lead(outgoing.args.slug, findings.length)}</p>
      <ul className="artifact-list scroll">
        {findings.slice(0, SHOWN).map((finding) => (
          <li key={`${finding.where} ${finding.name} ${finding.rule}`} className="secret-line">
            <Icon name="warning" />
            <div>
              <span className="path selectable">{finding.name}</span>
              <small className="faint">
                {t.secrets.where[finding.where]} · {finding.rule}
                {finding.inBase && ` · ${t.secrets.inBase}`}
              </small>
            </div>
          </li>
        ))}
        {findings.length > SHOWN && <li className="soft">{t.secrets.more(findings.length - SHOWN)}</li>}
      </ul>
    </Dialog>
  )
}
