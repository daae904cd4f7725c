import { type HomeFiles, homeInRunFolder, homeScript } from './home-files.ts'
import type { PackEntry } from './pack-entry.ts'
import { shellQuote } from './shell-quote.ts'

/** What one container is to run: given to it by files, so that its config carries nothing of the run. */
export interface RunRecipe {
  /** Whole command line; the image's own when the plan has none. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  /** Written into HOME by the start script; needs a shell in the image. */
  readonly homeFiles?: HomeFiles
}

/**
 * An engine gives a terminal its size after the start, which is too late for a program that asks at once. One that was
 * given a size already keeps it.
 */
const SIZE_LINE = `if [ -t 0 ]; then case $(stty size 2>/dev/null) in ''|'0 0') stty cols 120 rows 32 2>/dev/null ;; esac; fi
`

/**
 * The entrypoint, the same for every run. Everything that differs is in the files beside it, so nothing of
 * a run is ever in the container's config, its history or a committed layer.
 */
export const START_SCRIPT = `#!/bin/sh
. /run/icebox/env || exit 125
. /run/icebox/home.sh || exit 125
${SIZE_LINE}. /run/icebox/argv || exit 125
exec "$@"
`

// Assigning these fails in some shells, or is undone by them; env(1) sets them instead.
const SHELL_OWN = new Set(
  'BASHOPTS BASH_VERSINFO EUID PPID SHELLOPTS UID _ PWD OLDPWD SHLVL IFS OPTIND LINENO RANDOM'.split(' '),
)

const isShellName = (name: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELL_OWN.has(name)

/** Names that no program can be given. */
export const isEnvName = (name: string) => name !== '' && !name.includes('=') && !name.includes('\0')

/** Files of a run for an image that has a shell. */
export function runFiles(recipe: RunRecipe): PackEntry[] {
  const all = Object.entries({ ...recipe.env, ...recipe.secrets })
  const plain = all.filter(([name]) => isShellName(name))
  const awkward = all.filter(([name]) => !isShellName(name))
  const env = plain.map(([name, value]) => `export ${name}=${shellQuote(value)}\n`).join('')
  const words = awkward.length > 0 ? ['env', ...awkward.map(([name, value]) => `${name}=${value}`)] : []
  const argv = `set -- ${[...words, ...recipe.argv].map(shellQuote).join(' ')}\n`
  return [
    { type: 'directory', name: '.', mode: 0o755 },
    { type: 'file', name: 'env', mode: 0o444, content: env },
    { type: 'file', name: 'argv', mode: 0o444, content: argv },
    // Always written: on a restart it takes the place of the launch's, whose files were given once.
    { type: 'file', name: 'home.sh', mode: 0o444, content: homeScript(recipe.homeFiles ?? {}) },
    ...homeInRunFolder(recipe.homeFiles ?? {}),
    { type: 'file', name: 'start', mode: 0o555, content: START_SCRIPT },
  ]
}

/** Files of a run for an image without a shell: secrets only, one file each; the rest is in the config. */
export function secretFiles(recipe: RunRecipe): PackEntry[] {
  return [
    { type: 'directory', name: '.', mode: 0o755 },
    { type: 'directory', name: 'secrets', mode: 0o755 },
    ...Object.entries(recipe.secrets).map(([name, value]): PackEntry => {
      return { type: 'file', name: `secrets/${name}`, mode: 0o444, content: value }
    }),
  ]
}

/** The same files, emptied. `secretNames` matters only for images without a shell. */
export function wipedFiles(hasShell: boolean, secretNames: readonly string[]): PackEntry[] {
  const names = hasShell ? ['env', 'argv', 'home.sh'] : secretNames.map((name) => `secrets/${name}`)
  return names.map((name): PackEntry => ({ type: 'file', name, mode: 0o444, content: '' }))
}
