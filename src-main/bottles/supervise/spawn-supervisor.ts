import { spawn } from 'node:child_process'
import { access, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { outsideHooks } from '../../agents/hooks/hook-environment.ts'
import { isMissing, readText, writeDurable } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { bottleError } from '../../system/bottle-error.ts'

/** Bytes after which the older half of the log is dropped. */
const LOG_CAP = 1_048_576

/** A program and its first arguments. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

/** The process as far as it says how its own command line is started. */
export interface OwnProcess {
  readonly execPath: string
  readonly argv: readonly string[]
  readonly isElectron: boolean
  /** The app is run from its folder, which is then the first argument. */
  readonly isUnpackaged: boolean
  readonly appImage: string | undefined
  /** Absolute path of the command line's entry; null where there is none beside this module. */
  readonly cli: string | null
}

/** How a detached supervisor is started from here; null when nothing here can start one. Pure. */
export function supervisorCommand(own: OwnProcess, home: string): Command | null {
  const rest = ['supervise', '--home', home]
  if (own.isElectron) {
    const app = own.isUnpackaged && own.argv[1] !== undefined ? [own.argv[1]] : []
    return { file: own.appImage ?? own.execPath, args: [...app, '--cli', '--', ...rest] }
  }
  return own.cli === null ? null : { file: own.execPath, args: [own.cli, ...rest] }
}

/** Where the command line's entry may lie, seen from this module: beside the sources, and beside or above the build's chunks. */
const CLI_PLACES = ['../../cli.ts', 'cli.js', '../cli.js']

async function findCli(): Promise<string | null> {
  for (const place of CLI_PLACES) {
    const path = join(import.meta.dirname, place)
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) return path
  }
  return null
}

/** Path of the detached supervisor's log. */
export function supervisorLog(root: StateRoot): string {
  return root.path('icebox', 'supervise.log')
}

/**
 * Starts a supervisor that outlives this process and its terminal. It has this process's environment, since a restart
 * needs the same secrets and engines as the start.
 * @throws BottleError `internal` when it can't be started
 */
export async function spawnSupervisor(root: StateRoot, env: NodeJS.ProcessEnv): Promise<void> {
  const command = supervisorCommand(
    {
      execPath: process.execPath,
      argv: process.argv,
      isElectron: process.versions.electron !== undefined,
      isUnpackaged: (process as { readonly defaultApp?: boolean }).defaultApp === true,
      appImage: env.APPIMAGE,
      cli: await findCli(),
    },
    root.dir,
  )
  if (!command) throw bottleError('internal', 'There is no icebox command that could look after the agent.')
  await capLog(supervisorLog(root))
  const log = await open(supervisorLog(root), 'a', 0o600)
  try {
    const child = spawn(command.file, [...command.args], {
      cwd: root.dir,
      env: outsideHooks(env),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
  } catch (cause) {
    throw bottleError('internal', 'The process that looks after agents could not be started.', { cause })
  } finally {
    await log.close()
  }
}

/** Keeps the log small; one that can't be read costs nothing but itself. */
export async function capLog(path: string): Promise<void> {
  try {
    if ((await stat(path)).size <= LOG_CAP) return
    const content = (await readText(path)) ?? ''
    const middle = content.indexOf('\n', Math.floor(content.length / 2))
    await writeDurable(path, content.slice(middle + 1))
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
  }
}
