import { type KeyboardEvent, useDeferredValue, useEffect, useId, useMemo, useRef, useState } from 'react'
import { Dialog as AriaDialog, Modal, ModalOverlay } from 'react-aria-components'
import { useApp, useChangeView } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import { allCommands, type Command, matchCommands } from './commands.ts'

/** Everything that can be done, found by typing. Destroying needs a second Enter. */
export function Palette() {
  const app = useApp()
  const change = useChangeView()
  const listId = useId()
  const list = useRef<HTMLDivElement>(null)
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const [armed, setArmed] = useState<string | null>(null)
  // What is offered stays as it was when the palette was opened, so that nothing moves under the finger.
  const [commands] = useState(() => allCommands(app))
  const asked = useDeferredValue(query)
  const found = useMemo(() => matchCommands(commands, asked), [commands, asked])
  const index = Math.min(at, found.length - 1)
  const close = () => change({ overlay: null })

  useEffect(() => {
    list.current?.querySelector(`[data-index="${index}"]`)?.scrollIntoView({ block: 'nearest' })
  }, [index])

  const run = (command: Command) => {
    if (command.isDangerous && armed !== command.id) {
      setArmed(command.id)
      return
    }
    close()
    command.run()
  }
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key]
    // What was typed last may not be drawn yet: Enter is for that, and never for what stood there before.
    const typed = asked === query ? found : matchCommands(commands, query)
    const chosen = typed[Math.min(at, typed.length - 1)]
    if (step !== undefined) {
      const next = index + step
      const isSingle = Math.abs(step) === 1
      setAt(
        isSingle
          ? (next + found.length) % Math.max(1, found.length)
          : Math.max(0, Math.min(found.length - 1, next)),
      )
      setArmed(null)
    } else if (event.key === 'Enter' && chosen && !event.nativeEvent.isComposing) run(chosen)
    else return
    event.preventDefault()
  }

  return (
    <ModalOverlay
      className="backdrop high"
      isOpen
      isDismissable
      onOpenChange={(isOpen) => !isOpen && close()}
    >
      <Modal className="palette">
        <AriaDialog aria-label={t.action.palette} className="palette-body">
          <div className="palette-search">
            <Icon name="search" />
            <input
              // biome-ignore lint/a11y/noAutofocus: the palette is opened to type
              autoFocus
              role="combobox"
              aria-label={t.action.palette}
              aria-expanded="true"
              aria-controls={listId}
              aria-autocomplete="list"
              aria-activedescendant={index >= 0 ? `${listId}-${index}` : undefined}
              placeholder={t.palette.placeholder}
              spellCheck={false}
              autoComplete="off"
              value={query}
              onChange={(event) => {
                setQuery(event.target.value)
                setAt(0)
                setArmed(null)
              }}
              onKeyDown={onKeyDown}
            />
            <kbd>esc</kbd>
          </div>
          <div
            ref={list}
            id={listId}
            role="listbox"
            aria-label={t.palette.label}
            className="palette-list scroll"
          >
            {found.map((command, place) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox above handles the keys
              <div
                key={command.id}
                id={`${listId}-${place}`}
                role="option"
                tabIndex={-1}
                aria-selected={place === index}
                data-index={place}
                data-armed={armed === command.id || undefined}
                className="palette-item"
                onMouseMove={() => place !== index && setAt(place)}
                onClick={() => run(command)}
              >
                <Icon name={command.icon} />
                <span className="one-line">
                  {armed === command.id ? t.palette.again(command.label) : command.label}
                </span>
                <span className="faint one-line palette-hint">{command.hint}</span>
                {command.keys && <kbd>{command.keys}</kbd>}
              </div>
            ))}
          </div>
          {found.length === 0 && <p className="palette-none faint">{t.palette.none}</p>}
          <div className="hidden-but-read" role="status">
            {armed ? t.palette.again(found[index]?.label ?? '') : ''}
          </div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
