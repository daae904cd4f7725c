import { useState } from 'react'

/** A whole number within bounds: saved when it is left or Enter is pressed, so that no half-typed number counts. */
export function NumberField(props: {
  readonly label: string
  readonly min: number
  readonly max: number
  readonly value: number
  readonly onChange: (value: number) => void
}) {
  const [text, setText] = useState(String(props.value))
  const settle = () => {
    const typed = /^\d{1,9}$/.test(text.trim()) ? Number(text) : props.value
    const value = Math.min(props.max, Math.max(props.min, typed))
    setText(String(value))
    if (value !== props.value) props.onChange(value)
  }
  return (
    <input
      className="input number-input number"
      inputMode="numeric"
      aria-label={props.label}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={settle}
      onKeyDown={(event) => event.key === 'Enter' && settle()}
    />
  )
}
