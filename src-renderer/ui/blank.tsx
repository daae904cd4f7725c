import type { ReactNode } from 'react'
import { Icon, type IconName } from './icons.tsx'

/** What stands where nothing is: a drawing, a title, a sentence and a way on. */
export function Blank(props: {
  readonly icon: IconName
  readonly title: string
  readonly text: ReactNode
  readonly isSmall?: boolean
  readonly children?: ReactNode
}) {
  return (
    <div className={`blank ${props.isSmall ? 'small' : ''}`}>
      <span className="blank-mark">
        <Icon name={props.icon} />
      </span>
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.children && <div className="blank-actions">{props.children}</div>}
    </div>
  )
}
