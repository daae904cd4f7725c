import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { IconButton } from './button.tsx'
import { t } from './en.ts'

/** A dialog over the window: focus stays inside, Esc and a click outside close it, focus then returns. */
export function Dialog(props: {
  readonly title: string
  readonly onClose: () => void
  readonly size?: 'small' | 'medium' | 'large' | 'wide'
  readonly isAlert?: boolean
  readonly lead?: ReactNode
  readonly children: ReactNode
  readonly footer: ReactNode
}) {
  return (
    <ModalOverlay
      className="backdrop"
      isOpen
      isDismissable={!props.isAlert}
      onOpenChange={(isOpen) => {
        if (!isOpen) props.onClose()
      }}
    >
      <Modal className={`dialog ${props.size ?? 'small'}`}>
        <AriaDialog role={props.isAlert ? 'alertdialog' : 'dialog'} className="dialog-body">
          <header className="dialog-head">
            {props.lead}
            <Heading slot="title" level={2}>
              {props.title}
            </Heading>
            <IconButton icon="close" label={t.action.close} onClick={props.onClose} />
          </header>
          <div className="dialog-content scroll">{props.children}</div>
          <footer className="dialog-foot">{props.footer}</footer>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
