import { readTar } from '../../workers/tar/read-tar.ts'
import { plainPath } from '../../workers/tar/relocate.ts'
import type { LayerFile, RunConfig } from '../portable.ts'

/** Who an image runs as. */
export interface ImageUser {
  readonly uid: number
  readonly gid: number
  /** Absolute; null when nothing tells. */
  readonly home: string | null
}

/** Texts of `/etc/passwd` and `/etc/group`; empty where an image has none. */
export interface Accounts {
  readonly passwd: string
  readonly group: string
}

export const NO_ACCOUNTS: Accounts = { passwd: '', group: '' }
const ACCOUNT_BYTES = 1 << 20

/** False when the config alone tells user and home, so that no layer has to be read for it. Pure. */
export function needsAccounts(config: RunConfig, user: string | null): boolean {
  const name = user ?? config.User ?? ''
  const isRoot = ['', 'root', '0', '0:0', 'root:root'].includes(name)
  return !isRoot && !(/^\d+:\d+$/.test(name) && homeVariable(config) !== null)
}

/**
 * The user of an image by its config and its accounts; null for a name that they don't know.
 * @param user instead of the config's, as a bottle's definition has it
 */
export function imageUser(
  config: RunConfig,
  accounts: Accounts,
  user: string | null = null,
): ImageUser | null {
  const [name = '', groupName] = (user ?? config.User ?? '').split(':')
  const isRoot = name === '' || name === 'root' || name === '0'
  const line = linesOf(accounts.passwd).find(([known, , id]) =>
    name === '' ? id === '0' : known === name || id === name,
  )
  const uid = isRoot ? 0 : /^\d+$/.test(name) ? Number(name) : numberOf(line?.[2])
  const gid =
    groupName === undefined || groupName === ''
      ? (numberOf(line?.[3]) ?? 0)
      : /^\d+$/.test(groupName)
        ? Number(groupName)
        : groupName === 'root'
          ? 0
          : numberOf(linesOf(accounts.group).find(([known]) => known === groupName)?.[2])
  if (uid === null || gid === null) return null
  const home = homeVariable(config) ?? (line?.[5] || null) ?? (uid === 0 ? '/root' : null)
  return { uid, gid, home: home?.startsWith('/') ? home : null }
}

function homeVariable({ Env }: RunConfig): string | null {
  const line = Env?.findLast((variable) => variable.startsWith('HOME='))
  return line?.slice('HOME='.length) || null
}

const linesOf = (text: string): readonly string[][] => text.split('\n').map((line) => line.split(':'))

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null
}

/** Reads an image's accounts from its layers, of which the topmost that has them counts. */
export async function readAccounts(layers: readonly LayerFile[], signal: AbortSignal): Promise<Accounts> {
  const found = new Map<string, string>()
  for (const layer of [...layers].reverse()) {
    const here = new Map<string, Buffer[]>()
    await readTar(
      layer.open(signal),
      (entry) => {
        const path = plainPath(entry.path)
        const isWanted = path === 'etc/passwd' || path === 'etc/group'
        if (!isWanted || found.has(path) || entry.type !== 'file' || entry.size > ACCOUNT_BYTES) return 'skip'
        const pieces: Buffer[] = []
        here.set(path, pieces)
        // A piece is only lent.
        return (piece) => void pieces.push(Buffer.from(piece))
      },
      { endOptional: true },
    )
    for (const [path, pieces] of here) found.set(path, Buffer.concat(pieces).toString('latin1'))
    if (found.size === 2) break
  }
  return { passwd: found.get('etc/passwd') ?? '', group: found.get('etc/group') ?? '' }
}
