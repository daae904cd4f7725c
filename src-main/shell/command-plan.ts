import { isAbsolute, join } from 'node:path'

/** Tells the scripts that Icebox wrote from whatever else may have its name. */
const MARK = '# Installed by Icebox.'
const NAME = 'icebox'

/** What lies where the command would go. */
export type Found =
  | { readonly is: 'nothing' }
  | { readonly is: 'script'; readonly text: string }
  /** A link, a program, or a file that can't be read. */
  | { readonly is: 'other' }
  | { readonly is: 'folder' }

/** A folder for commands, as it is found. */
export interface Place {
  readonly dir: string
  readonly isWritable: boolean
  readonly found: Found
}

export interface CommandFacts {
  readonly platform: NodeJS.Platform
  /** What starts the app: its program, and of an app run from its sources the folder. */
  readonly program: readonly string[]
  /** In the order in which they are wished for. */
  readonly places: readonly Place[]
  /** The PATH of the session, which may lack what a shell adds. */
  readonly path: string
}

export type CommandPlan =
  | { readonly do: 'refuse'; readonly reason: string }
  /** The command is there and starts this app. */
  | { readonly do: 'offer-removal'; readonly file: string; readonly hint: string | null }
  | {
      readonly do: 'write'
      readonly file: string
      readonly script: string
      /** Something that Icebox did not put there, to be replaced only when the person says so. */
      readonly isForeign: boolean
      /** What the person has to do so that a shell finds the command, or null. */
      readonly hint: string | null
    }

/**
 * Folders for a person's commands: the one chosen by `ICEBOX_COMMAND_DIR`, else the usual ones. The first of a Mac needs
 * no change of the PATH, but often belongs to root. Pure.
 */
export function commandFolders(
  platform: NodeJS.Platform,
  home: string,
  chosen: string | undefined,
): readonly string[] {
  if (chosen && isAbsolute(chosen)) return [chosen]
  const own = join(home, '.local', 'bin')
  return platform === 'darwin' ? ['/usr/local/bin', own] : [own]
}

/** The command: a script that starts the app without its window. Pure. */
export function commandScript(platform: NodeJS.Platform, program: readonly string[]): string {
  // A command has no use for a display, and over ssh there is none. `--` keeps Chromium from reading what follows.
  const switches = platform === 'linux' ? ['--ozone-platform=headless', '--cli', '--'] : ['--cli', '--']
  return ['#!/bin/sh', MARK, `exec ${[...program.map(quoted), ...switches].join(' ')} "$@"`, ''].join('\n')
}

/** What to do about the command. Pure. */
export function planCommand(facts: CommandFacts): CommandPlan {
  const [program = ''] = facts.program
  if (program.includes('/AppTranslocation/') || program.startsWith('/Volumes/')) {
    return {
      do: 'refuse',
      reason: 'Move Icebox into the Applications folder first, then open it from there.',
    }
  }
  const script = commandScript(facts.platform, facts.program)
  const installed = facts.places.find(({ found }) => found.is === 'script' && found.text === script)
  if (installed)
    return { do: 'offer-removal', file: join(installed.dir, NAME), hint: pathHint(facts, installed) }
  const usable = facts.places.filter(({ isWritable, found }) => isWritable && found.is !== 'folder')
  // One that an older place of the app left behind is renewed where it is.
  const place = usable.find(({ found }) => isOurs(found)) ?? usable[0]
  if (!place) {
    const folders = facts.places.map(({ dir }) => dir).join(' or ')
    return { do: 'refuse', reason: `Nothing can be written into ${folders}.` }
  }
  return {
    do: 'write',
    file: join(place.dir, NAME),
    script,
    isForeign: place.found.is !== 'nothing' && !isOurs(place.found),
    hint: pathHint(facts, place),
  }
}

/** True for a script that Icebox wrote, which it may replace and remove unasked. Pure. */
export function isOurs(found: Found): boolean {
  return found.is === 'script' && found.text.split('\n', 2)[1] === MARK
}

function pathHint(facts: CommandFacts, { dir }: Place): string | null {
  // Every shell on a Mac has this one, though apps that were not started from a shell may not.
  const isKnown =
    facts.path.split(':').includes(dir) || (facts.platform === 'darwin' && dir === '/usr/local/bin')
  if (isKnown) return null
  return `If your shell does not find it, add this line to its profile and open a new terminal:\n\nexport PATH="${dir}:$PATH"`
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
