import { bashScript, fishScript, zshScript } from '../completion-scripts.ts'
import type { Face } from '../face.ts'
import { usageError } from '../usage.ts'

const SCRIPTS: Readonly<Record<string, string>> = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** `icebox completion`: the script to be sourced. */
export async function completion(face: Face, shell: string): Promise<number> {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined
  if (script === undefined)
    throw usageError(`There is completion for bash, zsh and fish, not for ${JSON.stringify(shell)}.`)
  await face.result({ json: { shell, script }, text: script, essential: script })
  return 0
}
