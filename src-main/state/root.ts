import { randomUUID } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'
import { createDurable, readText } from './durable-file.ts'

/** The folder that holds everything Icebox remembers. */
export interface StateRoot {
  /** Absolute path. */
  readonly dir: string
  /** UUID; the owner mark on every engine object. */
  readonly id: string
  /** A path inside the root; throws rather than leave it. */
  path(...parts: readonly string[]): string
}

/** Where the state root is: the flag, else `$ICEBOX_HOME`, else `~/.bot-bottle`. */
export function stateRootDir(flag?: string | undefined): string {
  const chosen = flag || process.env.ICEBOX_HOME
  if (chosen) return resolve(chosen)
  const home = homedir()
  if (!home || !isAbsolute(home)) {
    throw bottleError(
      'permission',
      'There is no home folder. Set ICEBOX_HOME to a folder that Icebox may use.',
    )
  }
  return join(home, '.bot-bottle')
}

/**
 * Opens the state root, making it and its id on first use.
 * @param options `mustExist`: for whoever looks after what is there already; makes none, at whatever moment one is removed
 * @throws BottleError `permission` when it can't be written, `corrupt-state` when the id is damaged, `not-found` with
 *   `mustExist` where there is none.
 */
export async function openStateRoot(
  flag?: string | undefined,
  { mustExist = false }: { readonly mustExist?: boolean } = {},
): Promise<StateRoot> {
  const dir = stateRootDir(flag)
  if (mustExist) {
    const text = await readText(rootFile(dir))
    if (text === undefined) throw bottleError('not-found', `There is no state folder at ${dir}.`)
    return rootAt(dir, parseRootId(rootFile(dir), text))
  }
  const make = (part: string) =>
    mkdir(join(dir, part), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw unusable(dir, error)
    })
  await make('')
  await Promise.all(['state', 'icebox', 'agents', 'bottles', 'trash'].map(make))
  const file = rootFile(dir)
  let text = await readText(file)
  if (text === undefined) {
    // Two first processes may race: only one creates, both read what won.
    await createDurable(file, `${JSON.stringify({ version: 1, id: randomUUID() })}\n`, 0o600)
    text = await readText(file)
  }
  return rootAt(dir, parseRootId(file, text ?? ''))
}

function rootFile(dir: string): string {
  return join(dir, 'icebox', 'root.json')
}

function unusable(dir: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'EEXIST' && code !== 'ENOTDIR') return error
  return bottleError('permission', `${dir} can't be the state folder: a file is in the way.`, {
    cause: error,
  })
}

function parseRootId(file: string, text: string): string {
  try {
    const { id } = JSON.parse(text) as { id?: unknown }
    if (typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id)) return id
  } catch {
    // Falls through to the one error below: both cases are the same to a user.
  }
  throw bottleError(
    'corrupt-state',
    `${file} is damaged. It marks which containers belong here; restore it from a backup before you go on.`,
  )
}

function rootAt(dir: string, id: string): StateRoot {
  return {
    dir,
    id,
    path(...parts) {
      const full = resolve(dir, ...parts)
      if (full !== dir && !full.startsWith(dir + sep)) {
        throw bottleError('invalid-slug', `${parts.join('/')} leads out of the state folder.`)
      }
      return full
    },
  }
}

/** Refuses symbolic links where a folder of ours must be. */
export async function requireRealFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isSymbolicLink()) {
    throw bottleError(
      'corrupt-state',
      `${path} is a symbolic link. Icebox does not follow links in its state folder.`,
    )
  }
}
