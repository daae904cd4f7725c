import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Where people and programs keep keys, tokens and histories, below the user's home. */
export const PRIVATE_PLACES: readonly string[] = [
  '.ssh',
  '.aws',
  '.azure',
  '.gnupg',
  '.docker',
  '.kube',
  '.netrc',
  '.git-credentials',
  '.npmrc',
  '.pypirc',
  '.password-store',
  '.pgpass',
  '.vault-token',
  '.bash_history',
  '.zsh_history',
  '.bot-bottle',
  '.icebox',
  '.claude.json',
  '.claude/.credentials.json',
  '.codex/auth.json',
  '.config/gcloud',
  '.config/gh',
  '.config/hub',
  '.config/icebox',
  '.config/op',
  '.config/containers',
  '.config/chromium',
  '.config/google-chrome',
  '.local/share/icebox',
  '.local/share/keyrings',
  '.mozilla',
  'Library/Keychains',
  'Library/Cookies',
]

export interface PrivatePlace {
  /** Absolute, links resolved. */
  readonly path: string
  readonly isFolder: boolean
}

/** Those private places of a home that exist, by their real paths. */
export async function privatePlacesOf(home: string): Promise<readonly PrivatePlace[]> {
  const found = await Promise.all(
    PRIVATE_PLACES.map(async (name): Promise<PrivatePlace | null> => {
      try {
        const path = await realpath(join(home, name))
        return { path, isFolder: (await stat(path)).isDirectory() }
      } catch {
        // What does not exist, or can't be reached, needs no hiding.
        return null
      }
    }),
  )
  return found.filter((place) => place !== null)
}
