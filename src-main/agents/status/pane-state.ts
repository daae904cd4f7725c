import { readScreen } from '../observe/screen-signs.ts'

export interface PaneFacts {
  /** The names of scitex §11.2. */
  readonly pane_state:
    | 'auth_error'
    | 'limit_reached'
    | 'y_n_prompt'
    | 'compose_pending_unsent'
    | 'running'
    | 'idle_prompt'
    | 'unknown'
  readonly stuck_prompt_text: string | null
}

/** What a kept screen shows. Pure. */
export function paneFacts(screen: readonly string[]): PaneFacts {
  const signs = readScreen(screen)
  if (signs.isWorking) return { pane_state: 'running', stuck_prompt_text: null }
  if (signs.signIn !== null) return { pane_state: 'auth_error', stuck_prompt_text: signs.signIn }
  if (signs.limit !== null) return { pane_state: 'limit_reached', stuck_prompt_text: signs.limit }
  if (signs.question !== null) return { pane_state: 'y_n_prompt', stuck_prompt_text: signs.question }
  if (signs.unsent !== null) return { pane_state: 'compose_pending_unsent', stuck_prompt_text: signs.unsent }
  return { pane_state: signs.hasInput ? 'idle_prompt' : 'unknown', stuck_prompt_text: null }
}
