import type { ReactNode } from 'react'

/** A screen with a title, a sentence and one column of content. */
export function Page(props: {
  readonly title: string
  readonly lead?: string
  readonly actions?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <main className="page scroll">
      <div className="page-inner">
        <header className="page-head">
          <div>
            <h1>{props.title}</h1>
            {props.lead && <p className="soft">{props.lead}</p>}
          </div>
          {props.actions && <div className="page-actions">{props.actions}</div>}
        </header>
        {props.children}
      </div>
    </main>
  )
}
