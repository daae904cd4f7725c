import { Fragment, type RefObject } from 'react'
import { Menu, MenuItem, Popover, Separator } from 'react-aria-components'
import { Icon, type IconName } from './icons.tsx'

export interface MenuEntry {
  readonly id: string
  readonly label: string
  readonly icon: IconName
  readonly keys?: string | undefined
  readonly isDanger?: boolean
  readonly isDisabled?: boolean
  /** Draws a line above it. */
  readonly isGroupStart?: boolean
  readonly run: () => void
}

/** A menu beside the element that opened it. */
export function PopMenu(props: {
  readonly label: string
  readonly anchor: RefObject<HTMLElement | null>
  readonly entries: readonly MenuEntry[]
  readonly onClose: () => void
}) {
  const run = (id: string | number) => props.entries.find((entry) => entry.id === id)?.run()
  return (
    <Popover
      className="popover"
      aria-label={props.label}
      triggerRef={props.anchor}
      placement="bottom end"
      offset={4}
      isOpen
      onOpenChange={(isOpen) => {
        if (!isOpen) props.onClose()
      }}
    >
      <Menu
        className="menu"
        aria-label={props.label}
        autoFocus="first"
        onAction={run}
        onClose={props.onClose}
        disabledKeys={props.entries.filter((entry) => entry.isDisabled).map((entry) => entry.id)}
      >
        {props.entries.map((entry) => (
          <Fragment key={entry.id}>
            {entry.isGroupStart && <Separator className="menu-line" />}
            <MenuItem
              id={entry.id}
              textValue={entry.label}
              className={`menu-item ${entry.isDanger ? 'danger' : ''}`}
            >
              <Icon name={entry.icon} />
              <span>{entry.label}</span>
              {entry.keys && <kbd>{entry.keys}</kbd>}
            </MenuItem>
          </Fragment>
        ))}
      </Menu>
    </Popover>
  )
}
