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
import type { DragTarget } from './drag-items.ts'

/** An export or a push, as it can be asked for again once it is known what to do with secrets. */
export type Outgoing =
  | { readonly kind: 'export'; readonly args: CallArgs<'artifact:export'> }
  | { readonly kind: 'push'; readonly args: CallArgs<'artifact:push'> }

/** What waits for an answer about the secrets in it; a drag is asked for again by artifacts/drag-out.ts. */
export type Asked = Outgoing | { readonly kind: 'prepare'; readonly args: DragTarget }

/** A file on its way in; the name is not known where main asked for it. */
export interface ImportedFile {
  readonly taskId: string
  readonly name: string | null
  readonly bytes: number | null
}

/** Files and images on their way in and out, from the click to the saved file. */
export interface FileTransfer {
  /** Starts it; its end is a download, a toast, or the question about secrets. */
  send(outgoing: Outgoing): Promise<Result<unknown>>
  /** Answers the question about secrets. */
  sendScrubbed(outgoing: Outgoing, scrub: ScrubChoice): Promise<void>
  pull(args: CallArgs<'artifact:pull'>): Promise<Result<unknown>>
  importFiles(files: readonly File[]): Promise<void>
  /** Asks for files with a dialog and imports them. */
  pickImports(): Promise<void>
  /** Saves a finished export: the browser by itself, the desktop after asking where. */
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
  /** Asks for files as a browser does. */
  readonly pick: (chosen: (files: readonly File[]) => Promise<void>) => void
  /** True while somebody looks at the page, so that a dialog comes to no surprise. */
  readonly isLookedAt: () => boolean
}

/** Builds it over a bridge. */
export function createFileTransfer({
  bridge,
  model,
  view,
  toasts,
  save,
  pick,
  isLookedAt,
}: Parts): FileTransfer {
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
    if (outgoing.kind !== 'export' || task.state !== 'done') return false
    // The system's dialog belongs to whoever sits there; for others the toast has a button.
    if (bridge.desktop && (!isLookedAt() || view.get().overlay)) return false
    void download(task.id)
    return bridge.desktop !== undefined
  }

  const download = async (taskId: string): Promise<void> => {
    if (bridge.desktop) {
      const saved = await bridge.desktop.saveExport(taskId)
      if (!saved.ok) tell(t.artifact.failed.save, saved.error)
      else if (saved.value.isSaved)
        toasts.add({ tone: 'good', title: t.artifact.saved, text: '', detail: null, actions: [] })
      return
    }
    const offered = await bridge.call('artifact:download', { taskId })
    if (offered.ok) save(offered.value.url, offered.value.fileName)
    else tell(t.artifact.failed.download, offered.error)
  }

  const showImports = (files: readonly ImportedFile[]): void => {
    if (files.length === 0) return
    view.update((now) => {
      const { overlay } = now
      if (overlay?.kind === 'imports') {
        return { ...now, overlay: { kind: 'imports', files: [...overlay.files, ...files] } }
      }
      // A dialog that somebody is in stays; toasts tell how the imports ended.
      return overlay ? now : { ...now, overlay: { kind: 'imports', files } }
    })
  }

  const importFiles = async (files: readonly File[]): Promise<void> => {
    if (bridge.desktop) {
      const started = await bridge.desktop.importFiles(files)
      if (!started.ok) return void tell(t.artifact.failed.drop, started.error)
      const names = started.value.taskIds.map((taskId, at) => ({
        taskId,
        name: files[at]?.name ?? null,
        bytes: files[at]?.size ?? null,
      }))
      return showImports(names)
    }
    // One after the other: they share one disk and one engine.
    for (const file of files) await upload(file)
  }

  const upload = async (file: File): Promise<void> => {
    const expected = await bridge.call('artifact:import', {
      fileName: file.name.slice(0, 500),
      bytes: file.size,
    })
    if (!expected.ok) return void tell(t.artifact.failed.import(file.name), expected.error)
    showImports([{ taskId: expected.value.taskId, name: file.name, bytes: file.size }])
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
    importFiles,
    async pickImports() {
      if (!bridge.desktop) return pick(importFiles)
      const started = await bridge.desktop.pickImports()
      if (!started.ok) return void tell(t.artifact.failed.drop, started.error)
      showImports(started.value.taskIds.map((taskId) => ({ taskId, name: null, bytes: null })))
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
