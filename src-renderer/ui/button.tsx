import type { ButtonHTMLAttributes, ReactNode } from 'react'
import { Icon, type IconName } from './icons.tsx'

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> {
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet' | 'link'
  readonly icon?: IconName
  /** While true the button keeps its width, shows a turning ring and can't be pressed again. */
  readonly isBusy?: boolean
  /** Under narrow windows only the icon stays; the word remains the accessible name. */
  readonly isCompact?: boolean
  readonly children: ReactNode
}

/** A button with a word. */
export function Button({
  kind = 'plain',
  icon,
  isBusy = false,
  isCompact = false,
  children,
  className = '',
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`button ${kind} ${isCompact ? 'compact' : ''} ${className}`}
      aria-disabled={isBusy || undefined}
      aria-busy={isBusy || undefined}
      onClick={isBusy ? (event) => event.preventDefault() : rest.onClick}
    >
      {isBusy && (
        <span className="button-ring">
          <Icon name="busy" className="spin" />
        </span>
      )}
      <span className="button-face" data-busy={isBusy || undefined}>
        {icon && <Icon name={icon} />}
        <span className="button-word">{children}</span>
      </span>
    </button>
  )
}

/** A button with only an icon; its label is read and shown as a tip. */
export function IconButton({
  icon,
  label,
  isBusy = false,
  className = '',
  ...rest
}: Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> & {
  readonly icon: IconName
  readonly label: string
  readonly isBusy?: boolean
}) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...rest}
      aria-disabled={isBusy || undefined}
      className={`icon-button ${className}`}
    >
      <Icon name={isBusy ? 'busy' : icon} className={isBusy ? 'spin' : ''} />
    </button>
  )
}
