import type { ScrubChoice } from '../../src-preload/contract/artifacts.ts'
import type { CallArgs } from '../../src-preload/contract/calls.ts'
import type { Task } from '../../src-preload/contract/entities.ts'
import type { Failure, Result } from '../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import type { Store } from '../state/create-store.ts'
import type { Model } from '../state/model.ts'
import type { View } from '../state/view.ts'
import type { ToastStore } from '../tasks/toast-store.ts'
import { t } from '../ui/en.ts'

/** An export or a push, as it can be asked for again once it is known what to do with secrets. */
export type Outgoing =
  | { readonly kind: 'export'; readonly args: CallArgs<'artifact:export'> }
  | { readonly kind: 'push'; readonly args: CallArgs<'artifact:push'> }

/** Files and images on their way in and out, from the click to the saved file. */
export interface FileTransfer {
  /** Starts it; its end is a download, a toast, or the question about secrets. */
  send(outgoing: Outgoing): Promise<Result<unknown>>
  /** Answers the question about secrets. */
  sendScrubbed(outgoing: Outgoing, scrub: ScrubChoice): Promise<void>
  pull(args: CallArgs<'artifact:pull'>): Promise<Result<unknown>>
  importFiles(files: readonly File[]): Promise<void>
  /** Saves a finished export. */
  download(taskId: string): Promise<void>
  /** Takes notice of a task's end; true when nothing more needs to be told. */
  ended(task: Task): boolean
}

interface Parts {
  readonly bridge: IceboxBridge
  readonly model: Store<Model>
  readonly view: Store<View>
  readonly toasts: ToastStore
  /** Saves what an address answers; apart, so that tests need no browser. */
  readonly save: (url: string, fileName: string) => void
}

/** Builds it over a bridge. */
export function createFileTransfer({ bridge, model, view, toasts, save }: Parts): FileTransfer {
  /** What this page asked for and has not seen the end of. */
  const asked = new Map<string, Outgoing>()
  const tell = (title: string, failed: Failure) =>
    toasts.add({ tone: 'bad', title, text: failed.message, detail: failed.detail ?? null, actions: [] })

  const send = async (outgoing: Outgoing): Promise<Result<unknown>> => {
    const result =
      outgoing.kind === 'export'
        ? await bridge.call('artifact:export', outgoing.args)
        : await bridge.call('artifact:push', outgoing.args)
    if (!result.ok) return result
    const { taskId } = result.value
    asked.set(taskId, outgoing)
    const task = model.get().tasks.get(taskId)
    if (task && task.state !== 'running') ended(task)
    return result
  }

  const askAboutSecrets = async (outgoing: Outgoing): Promise<void> => {
    const { slug, snapshot } = outgoing.args
    const found = await bridge.call('artifact:search-secrets', { slug, snapshot })
    if (!found.ok) return void tell(t.secrets.failed, found.error)
    const open = () =>
      view.update((now) => ({ ...now, overlay: { kind: 'secrets', outgoing, findings: found.value } }))
    // A dialog that somebody is in must not be torn away.
    if (!view.get().overlay) return open()
    toasts.add({
      tone: 'bad',
      title: t.secrets.toast(slug),
      text: '',
      detail: null,
      actions: [{ label: t.secrets.choose, run: open }],
    })
  }

  const ended = (task: Task): boolean => {
    const outgoing = asked.get(task.id)
    if (!outgoing) return false
    asked.delete(task.id)
    if (task.error?.code === 'secrets-found') {
      void askAboutSecrets(outgoing)
      void bridge.call('task:dismiss', { taskId: task.id })
      return true
    }
    if (outgoing.kind === 'export' && task.state === 'done') void download(task.id)
    return false
  }

  const download = async (taskId: string): Promise<void> => {
    const offered = await bridge.call('artifact:download', { taskId })
    if (offered.ok) save(offered.value.url, offered.value.fileName)
    else tell(t.artifact.failed.download, offered.error)
  }

  const importFile = async (file: File): Promise<void> => {
    const expected = await bridge.call('artifact:import', {
      fileName: file.name.slice(0, 500),
      bytes: file.size,
    })
    if (!expected.ok) return void tell(t.artifact.failed.import(file.name), expected.error)
    // How it went is told by its task, which knows why; a broken connection ends the task too.
    await fetch(expected.value.url, { method: 'PUT', body: file }).catch(() => undefined)
  }

  return {
    send,
    async sendScrubbed(outgoing, scrub) {
      const { slug } = outgoing.args
      const again: Outgoing =
        outgoing.kind === 'export'
          ? { kind: 'export', args: { ...outgoing.args, scrub } }
          : { kind: 'push', args: { ...outgoing.args, scrub } }
      const result = await send(again)
      if (!result.ok) tell(t.artifact.failed[outgoing.kind](slug), result.error)
    },
    pull: (args) => bridge.call('artifact:pull', args),
    async importFiles(files) {
      // One after the other: they share one disk and one engine.
      for (const file of files) await importFile(file)
    },
    download,
    ended,
  }
}

/** Lets the browser save what an address answers, under the name that the answer gives. */
export function saveByLink(url: string, fileName: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  document.body.append(link)
  link.click()
  link.remove()
}
