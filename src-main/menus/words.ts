import type { Bottle, Task } from '../../src-preload/contract/index.ts'

type Kind = Task['kind']

/** "Freezing demo": what a running task does. Kinds that are not here have no bottle in their sentence. */
const DOING: Readonly<Partial<Record<Kind, string>>> = {
  start: 'Starting',
  resume: 'Resuming',
  freeze: 'Freezing',
  fork: 'Forking',
  stop: 'Stopping',
  restart: 'Restarting',
  destroy: 'Destroying',
  undo: 'Restoring',
  adopt: 'Adopting',
  cleanup: 'Cleaning up',
  export: 'Exporting',
  import: 'Importing',
  push: 'Pushing',
  pull: 'Pulling',
  verify: 'Verifying',
  'delete-snapshot': 'Deleting a snapshot of',
  prune: 'Thinning out',
}

/** "demo is frozen": what a task has done. */
const DONE: Readonly<Partial<Record<Kind, string>>> = {
  start: 'has started',
  resume: 'is resumed',
  freeze: 'is frozen',
  fork: 'is forked',
  restart: 'has started again',
  export: 'is exported',
  import: 'is imported',
  push: 'is pushed',
  pull: 'is pulled',
  verify: 'passed its check',
}

const STATES: Readonly<Record<Bottle['state'], string>> = {
  starting: 'starting',
  running: 'running',
  paused: 'paused',
  stopping: 'stopping',
  stopped: 'stopped',
  frozen: 'frozen',
  failed: 'failed',
  unknown: 'unknown',
}

const AGENT_STATES: Readonly<Record<NonNullable<Bottle['agentState']>, string>> = {
  working: 'working',
  waiting: 'waiting for you',
  limited: 'limited',
  'signed-out': 'signed out',
  stuck: 'stuck',
  exited: 'ended',
}

/** Every word that menus, tray, dock and notifications say. */
export const words = {
  app: 'Icebox',
  open: 'Open',
  openWindow: 'Open window',
  freeze: 'Freeze',
  freezeAll: 'Freeze all',
  resume: 'Resume',
  stop: 'Stop',
  logs: 'Logs',
  show: 'Show',
  showLogs: 'Show logs',
  tryAgain: 'Try again',
  cancel: 'Cancel',
  more: 'More…',
  newBottle: 'New bottle…',
  recent: 'Recent snapshots',
  noRecent: 'Nothing is frozen yet',
  settings: 'Settings…',
  quit: 'Quit Icebox',
  file: 'File',
  edit: 'Edit',
  bottle: 'Bottle',
  go: 'Go',
  view: 'View',
  window: 'Window',
  help: 'Help',
  import: 'Import…',
  find: 'Find',
  palette: 'Command palette…',
  resumeOrOpen: 'Resume or open terminal',
  fork: 'Fork…',
  export: 'Export…',
  destroy: 'Destroy…',
  shortcuts: 'Keyboard shortcuts',
  installCommand: 'Install the icebox command…',
  checkUpdates: 'Check for updates…',
  sections: {
    bottles: 'Bottles',
    activity: 'Activity',
    agents: 'Agents',
    engines: 'Engines',
    space: 'Space',
    trash: 'Trash',
    settings: 'Settings',
  },
  nothing: 'No bottles yet',
  nothingRuns: 'Nothing runs',
  running: (count: number) => `${count} running`,
  waiting: (count: number) => `${count} waiting for you`,
  failed: (count: number) => `${count} failed`,
  engineDown: (title: string) => `${title} does not answer`,
  moreTasks: (count: number) => `${count} more at work`,
  doing: (kind: Kind, name: string | null) => [DOING[kind] ?? 'Working', name].filter(Boolean).join(' '),
  done: (kind: Kind, name: string) => `${name} ${DONE[kind] ?? 'is done'}`,
  stateOf: (bottle: Pick<Bottle, 'state' | 'agentState'>) =>
    bottle.state === 'running' && bottle.agentState ? AGENT_STATES[bottle.agentState] : STATES[bottle.state],
  notice: {
    failed: (kind: Kind, name: string | null) => `${words.doing(kind, name)} failed`,
    bottleFailed: (name: string) => `${name} failed`,
    exited: (code: number) => `The agent ended with code ${code}.`,
    gaveUp: (reason: string) => `The agent is not started again: ${reason}.`,
    asks: (name: string) => `${name} has to be stopped to be frozen`,
    waits: (name: string) => `${name} waits for you`,
    why: {
      waiting: 'The agent has a question.',
      limited: 'The agent has reached its usage limit.',
      'signed-out': 'The agent has to sign in again.',
      stuck: 'The agent has made no progress for a while.',
    },
    many: {
      frozen: (count: number) => `${count} bottles are frozen`,
      failed: (count: number) => `${count} things failed`,
      waiting: (count: number) => `${count} bottles wait for you`,
      done: (count: number) => `${count} tasks are done`,
    },
    andMore: (names: readonly string[], more: number) => `${names.join(', ')} and ${more} more`,
  },
  shortcutTaken: (keys: string) =>
    `The shortcut ${keys} belongs to another program, so it does not open Icebox. Choose another one in the settings.`,
  loginRefused: (isOn: boolean) =>
    isOn
      ? 'The system did not let Icebox open at login. Look for it among the login items in the system settings.'
      : 'The system still opens Icebox at login. Remove it from the login items in the system settings.',
} as const
