import type { Shell } from 'electron'
import type { CallArgs, CallName } from '../../src-preload/contract/calls.ts'
import { assertNever } from '../../src-preload/contract/errors.ts'
import type { Router } from '../ipc/router.ts'
import { freezable } from '../menus/bottle-facts.ts'
import type { MenuCommand } from '../menus/menu-types.ts'
import { externalLink } from './external-links.ts'
import type { LiveState } from './live-state.ts'
import type { MainWindow } from './main-window.ts'

export interface CommandParts {
  readonly router: Router
  readonly state: LiveState
  readonly window: MainWindow
  readonly shell: Pick<Shell, 'openExternal'>
  readonly quit: () => void
  /** Tells the person what could not even begin. */
  readonly tell: (problem: string) => void
  /** What other parts of the desktop bring, by command. */
  readonly others: Partial<Record<'install-command' | 'check-updates', () => Promise<void>>>
}

/** Carries out a command of a menu, a notification or a link: the one place where its data becomes an act. */
export function createCommandRunner(parts: CommandParts): (command: MenuCommand) => void {
  /** What went wrong, or null. */
  const attempt = async <K extends CallName>(name: K, args: CallArgs<K>): Promise<string | null> => {
    const result = await parts.router(name, args)
    return result.ok ? null : result.error.message
  }
  const call = async <K extends CallName>(name: K, args: CallArgs<K>): Promise<void> => {
    const problem = await attempt(name, args)
    if (problem !== null) parts.tell(problem)
  }
  /** One task for each bottle that runs; what could not begin is told once. */
  const freezeAll = async (): Promise<void> => {
    const problems = await Promise.all(
      freezable(parts.state.get()).map(({ slug }) => attempt('bottle:freeze', { slug, mayAsk: false })),
    )
    const told = new Set(problems.filter((problem) => problem !== null))
    if (told.size > 0) parts.tell([...told].join('\n'))
  }
  const act = async (command: MenuCommand): Promise<void> => {
    switch (command.do) {
      case 'page':
        return parts.window.send(command.command)
      case 'show-window':
        return parts.window.show()
      case 'quit':
        return parts.quit()
      case 'freeze':
      case 'stop':
        return call(`bottle:${command.do}`, { slug: command.slug })
      case 'freeze-all':
        return freezeAll()
      case 'resume':
        return call('bottle:resume', {
          slug: command.slug,
          ...(command.snapshot === undefined ? {} : { snapshot: command.snapshot }),
        })
      case 'cancel-task':
        return call('task:cancel', { taskId: command.taskId })
      case 'set':
        return call('settings:set', { key: command.key, value: command.value })
      case 'open-external': {
        const link = externalLink(command.url)
        return link ? parts.shell.openExternal(link) : undefined
      }
      case 'install-command':
      case 'check-updates':
        return parts.others[command.do]?.()
      default:
        return assertNever(command)
    }
  }
  return (command) => {
    act(command).catch((error: unknown) => parts.tell(error instanceof Error ? error.message : String(error)))
  }
}
