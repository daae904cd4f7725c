import { type ReactNode, useEffect, useId, useState } from 'react'
import { Button } from './button.tsx'
import { t } from './en.ts'
import { Icon } from './icons.tsx'

/** Copies text; its word turns to "Copied" for a moment. */
export function CopyButton({
  text,
  label = t.action.copy,
}: {
  readonly text: string
  readonly label?: string
}) {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), 1600)
    return () => clearTimeout(timer)
  }, [isCopied])
  const copy = async () => {
    await copyText(text)
    setCopied(true)
  }
  return (
    <Button kind="quiet" icon={isCopied ? 'check' : 'copy'} className="copy" onClick={() => void copy()}>
      <span aria-live="polite">{isCopied ? t.action.copied : label}</span>
    </Button>
  )
}

/** The clipboard needs a secure context; loopback is one, a tunnel under another name is not. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

/** A command to run elsewhere, with a button that copies it. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div className="command">
      <code className="scroll">{text}</code>
      <CopyButton text={text} />
    </div>
  )
}

/** One of a few choices, as a row of words; arrow keys move, because these are radio buttons. */
export function Segmented<T extends string>(props: {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly label: ReactNode; readonly isDisabled?: boolean }[]
  readonly onChange: (value: T) => void
  readonly className?: string
}) {
  const name = useId()
  return (
    <fieldset className={`segmented ${props.className ?? ''}`}>
      <legend className="hidden-but-read">{props.label}</legend>
      {props.options.map((option) => (
        <label
          key={option.value}
          data-on={option.value === props.value || undefined}
          data-off={option.isDisabled || undefined}
        >
          <input
            type="radio"
            className="hidden-but-read"
            name={name}
            checked={option.value === props.value}
            disabled={option.isDisabled ?? false}
            onChange={() => props.onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  )
}

/** On or off, with a word and perhaps a sentence. */
export function Switch(props: {
  readonly label: string
  readonly hint?: string
  /** The word stands beside it already, so only a screen reader is told. */
  readonly isBare?: boolean
  readonly isOn: boolean
  readonly isDisabled?: boolean
  readonly onChange: (isOn: boolean) => void
}) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={props.isOn}
        checked={props.isOn}
        disabled={props.isDisabled}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      <span className="switch-track" aria-hidden="true" />
      <span className={props.isBare ? 'hidden-but-read' : undefined}>
        {props.label}
        {props.hint && <small>{props.hint}</small>}
      </span>
    </label>
  )
}

/** A label above a control, with a sentence below it. */
export function Field(props: {
  readonly label: string
  readonly hint?: ReactNode
  readonly isOptional?: boolean
  readonly children: (id: string) => ReactNode
}) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>
        {props.label}
        {props.isOptional && <span className="faint"> {t.optional}</span>}
      </label>
      {props.children(id)}
      {props.hint && <div className="field-hint">{props.hint}</div>}
    </div>
  )
}

/** A sentence about something wrong, with the engine's own words on demand. */
export function Problem(props: {
  readonly title?: string
  readonly text: string
  readonly detail?: string | null
  readonly children?: ReactNode
}) {
  return (
    <div className="problem" role="alert">
      <Icon name="warning" />
      <div>
        {props.title && <strong>{props.title}</strong>}
        <p className="selectable">{props.text}</p>
        {props.detail && (
          <details>
            <summary>{t.details}</summary>
            <pre className="scroll">{props.detail}</pre>
          </details>
        )}
        {props.children}
      </div>
    </div>
  )
}

/** A thin bar for a share between 0 and 1; without a number it moves to and fro. */
export function ProgressBar({ share, label }: { readonly share: number | null; readonly label: string }) {
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(share === null ? {} : { 'aria-valuenow': Math.round(share * 100) })}
    >
      <i
        data-unknown={share === null || undefined}
        style={share === null ? undefined : { width: `${share * 100}%` }}
      />
    </div>
  )
}
