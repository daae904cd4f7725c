import { EventEmitter } from 'node:events'
import type { NotificationConstructorOptions } from 'electron'
import { makeEvent } from './event.ts'
import { mustBeReady } from './runtime.ts'
import { strict } from './strict.ts'

export class NotificationStandIn extends EventEmitter {
  readonly title: string
  readonly subtitle: string
  readonly body: string
  readonly silent: boolean
  readonly actions: readonly { readonly type: string; readonly text?: string }[]
  readonly hasReply: boolean
  readonly closeButtonText: string
  readonly icon: unknown
  readonly urgency: string
  readonly timeoutType: string
  readonly options: NotificationConstructorOptions

  static isSupported(): boolean {
    return true
  }

  constructor(options: NotificationConstructorOptions = {}) {
    super()
    mustBeReady('Notification')
    const { actions = [] } = options
    for (const action of actions) {
      if (action.type !== 'button' && action.type !== 'selection')
        throw new Error(`no such action: ${action.type}`)
    }
    this.options = options
    this.title = options.title ?? ''
    this.subtitle = options.subtitle ?? ''
    this.body = options.body ?? ''
    this.silent = options.silent ?? false
    this.actions = actions
    this.hasReply = options.hasReply ?? false
    this.closeButtonText = options.closeButtonText ?? ''
    this.icon = options.icon
    this.urgency = options.urgency ?? 'normal'
    this.timeoutType = options.timeoutType ?? 'default'
    // biome-ignore lint/correctness/noConstructorReturn: unknown members must throw
    return strict('Notification', this)
  }

  show(): void {
    setImmediate(() => this.emit('show', makeEvent({})))
  }

  close(): void {
    setImmediate(() => this.emit('close', makeEvent({ reason: 'applicationHidden' })))
  }
}
