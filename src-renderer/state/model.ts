import type {
  Bottle,
  EngineReport,
  StatePatch,
  StateSnapshot,
  Task,
  TrashEntry,
} from '../../src-preload/contract/entities.ts'

/** All that the page knows of the machine: the last snapshot of state plus every patch since. */
export interface Model {
  /** False until the first snapshot of state arrived. */
  readonly isLoaded: boolean
  readonly revision: number
  readonly bottles: ReadonlyMap<string, Bottle>
  /** The same bottles in the server's order; a row keeps its identity while nothing in it changed. */
  readonly bottleList: readonly Bottle[]
  readonly tasks: ReadonlyMap<string, Task>
  /** Newest first. */
  readonly taskList: readonly Task[]
  /** The running task of each slug that holds the bottle: nothing else can be done with it meanwhile. */
  readonly activeTasks: ReadonlyMap<string, Task>
  /** The running task of each slug that only reads it, as an export does. */
  readonly sideTasks: ReadonlyMap<string, Task>
  readonly engines: readonly EngineReport[]
  readonly trash: readonly TrashEntry[]
  readonly disk: StateSnapshot['disk']
  readonly home: string
  readonly platform: string
  readonly version: string
}

export const emptyModel: Model = {
  isLoaded: false,
  revision: 0,
  bottles: new Map(),
  bottleList: [],
  tasks: new Map(),
  taskList: [],
  activeTasks: new Map(),
  sideTasks: new Map(),
  engines: [],
  trash: [],
  disk: null,
  home: '',
  platform: '',
  version: '',
}

/** Builds the model from a snapshot of state, keeping the identity of all that did not change. */
export function modelOf(snapshot: StateSnapshot, previous: Model): Model {
  const bottles = keepSame(previous.bottles, snapshot.bottles, (bottle) => bottle.slug)
  const tasks = keepSame(previous.tasks, snapshot.tasks, (task) => task.id)
  return {
    isLoaded: true,
    revision: snapshot.revision,
    bottles,
    bottleList: [...bottles.values()],
    ...taskViews(tasks),
    engines: snapshot.engines,
    trash: snapshot.trash,
    disk: snapshot.disk,
    home: snapshot.home,
    platform: snapshot.platform,
    version: snapshot.version,
  }
}

/** The outcome of a batch of patches; a gap means that state must be read anew. */
export interface Applied {
  readonly model: Model
  readonly hasGap: boolean
}

/** Applies patches in order. Old ones are ignored; everything from the first gap on is not applied. */
export function applyPatches(model: Model, patches: readonly StatePatch[]): Applied {
  const draft = { bottles: new Map(model.bottles), tasks: new Map(model.tasks) }
  let { revision, engines, trash, disk } = model
  let [haveBottlesChanged, haveTasksChanged, hasGap] = [false, false, false]
  for (const patch of patches) {
    if (patch.revision <= revision) continue
    if (patch.revision !== revision + 1) {
      hasGap = true
      break
    }
    revision = patch.revision
    for (const change of patch.changes) {
      switch (change.entity) {
        case 'bottle':
          haveBottlesChanged = put(draft.bottles, change.key, change.value) || haveBottlesChanged
          break
        case 'task':
          haveTasksChanged = put(draft.tasks, change.key, change.value) || haveTasksChanged
          break
        case 'engine':
          engines = replace(engines, change.key, change.value, (engine) => engine.name)
          break
        case 'trash':
          trash = replace(trash, change.key, change.value, (entry) => entry.id)
          break
        case 'disk':
          disk = change.value
          break
      }
    }
  }
  if (revision === model.revision) return { model, hasGap }
  return {
    hasGap,
    model: {
      ...model,
      revision,
      engines,
      trash,
      disk,
      ...(haveBottlesChanged ? { bottles: draft.bottles, bottleList: [...draft.bottles.values()] } : {}),
      ...(haveTasksChanged ? taskViews(draft.tasks) : {}),
    },
  }
}

const SIDE_KINDS: ReadonlySet<Task['kind']> = new Set(['export', 'push', 'verify'])

function taskViews(
  tasks: ReadonlyMap<string, Task>,
): Pick<Model, 'tasks' | 'taskList' | 'activeTasks' | 'sideTasks'> {
  const taskList = [...tasks.values()].sort((a, b) => b.startedAt.localeCompare(a.startedAt))
  const activeTasks = new Map<string, Task>()
  const sideTasks = new Map<string, Task>()
  for (const task of taskList) {
    // What a pointer set off shows where the pointer is; elsewhere it would push the row away from under it.
    if (task.state !== 'running' || !task.slug || task.kind === 'prepare') continue
    const views = SIDE_KINDS.has(task.kind) ? sideTasks : activeTasks
    if (!views.has(task.slug)) views.set(task.slug, task)
  }
  return { tasks, taskList, activeTasks, sideTasks }
}

function put<T>(map: Map<string, T>, key: string, value: T | null): boolean {
  if (value === null) return map.delete(key)
  const old = map.get(key)
  if (old !== undefined && isSame(old, value)) return false
  map.set(key, value)
  return true
}

function replace<T>(
  list: readonly T[],
  key: string,
  value: T | null,
  keyOf: (item: T) => string,
): readonly T[] {
  const index = list.findIndex((item) => keyOf(item) === key)
  if (value === null) return index < 0 ? list : list.filter((_, i) => i !== index)
  return index < 0 ? [...list, value] : list.with(index, value)
}

function keepSame<T>(
  previous: ReadonlyMap<string, T>,
  next: readonly T[],
  keyOf: (item: T) => string,
): ReadonlyMap<string, T> {
  const kept = new Map<string, T>()
  for (const item of next) {
    const old = previous.get(keyOf(item))
    kept.set(keyOf(item), old !== undefined && isSame(old, item) ? old : item)
  }
  return kept
}

/** Entities are small plain JSON with a fixed key order, so their text tells them apart. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
