import { join } from 'node:path'
import type { MessageBoxOptions } from 'electron'
import type { FreezeRequest } from '../../../src-main/bottles/services.ts'
import type { Desktop } from '../../../src-main/shell/desktop.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import { createTaskQueue } from '../../../src-main/tasks/task-queue.ts'
import type { Bottle } from '../../../src-preload/contract/index.ts'
import { sampleSnapshot } from '../../support/samples.ts'

export interface Box {
  readonly options: MessageBoxOptions
  readonly answer: (response: number, checkboxChecked?: boolean) => void
}

/** The parts of a desktop that decide about its end, over bottles that a test makes up, and a dialog it answers. */
export function quitDesktop(
  rows: Bottle[],
  settings: Record<string, unknown> = {},
  root: Pick<StateRoot, 'path'> = { path: (...parts) => join('/nowhere', ...parts) },
) {
  const tasks = createTaskQueue()
  const stop = new AbortController()
  const seen = {
    stops: [] as string[],
    freezes: [] as FreezeRequest[],
    boxes: [] as Box[],
    sets: [] as unknown[],
    warnings: [] as unknown[],
    shown: 0,
  }
  /** A freeze of these waits, fails, or ends at once. */
  const fate = {
    waits: new Map<string, Promise<void>>(),
    fails: new Set<string>(),
    listFails: false,
    listHangs: false,
    dialogFails: false,
  }
  const bottles = {
    list: async () => {
      if (fate.listHangs) await new Promise(() => {})
      if (fate.listFails) throw bottleError('engine-down')
      return rows
    },
    freeze: async (request: FreezeRequest) => {
      seen.freezes.push(request)
      await fate.waits.get(request.slug)
      if (fate.fails.has(request.slug)) throw bottleError('disk-full')
      return { snapshot: sampleSnapshot({ slug: request.slug }), resumeHint: '', exportHint: null }
    },
    stop: async (slug: string) => {
      seen.stops.push(slug)
      const at = rows.findIndex((row) => row.slug === slug)
      const row = rows[at]
      if (row) rows[at] = { ...row, state: 'frozen' }
      return { done: [], left: [], unrecoverable: [] }
    },
  }
  const desktop = {
    core: { tasks },
    icebox: { bottles, root },
    settings: {
      all: () => settings,
      set: async (key: string, value: unknown) => {
        seen.sets.push([key, value])
        return {}
      },
    },
    signal: stop.signal,
    state: { get: () => ({ bottles: rows, tasks: tasks.list() }) },
    warn: (error: unknown) => seen.warnings.push(error),
    window: { show: () => (seen.shown += 1) },
  } as unknown as Desktop
  const dialog = {
    showMessageBox: (...args: unknown[]) => {
      if (fate.dialogFails) throw new Error('no screen')
      return new Promise((resolve) => {
        seen.boxes.push({
          options: args.at(-1) as MessageBoxOptions,
          answer: (response, checkboxChecked = false) => resolve({ response, checkboxChecked }),
        })
      })
    },
  }
  const parts = { dialog: dialog as never, visibleWindow: () => undefined }
  return { desktop, parts, tasks, seen, fate, stop }
}
