const COMMANDS = 'create list ssh stop delete snapshot sandbox info'.split(' ')

/** Another program of the same name: other verbs, versions below 1, and nothing called `machine`. */
export function wrongProgram(
  version: string,
  argv: readonly string[],
  out: (text: string) => unknown,
  err: (text: string) => unknown,
): number {
  const [word] = argv
  if (word === '--version') {
    out(`SmolVM, version ${version}\n`)
    return 0
  }
  if (word === undefined || word === '--help') {
    out(
      `Usage: smolvm [OPTIONS] COMMAND [ARGS]...\n\nCommands:\n${COMMANDS.map((name) => `  ${name}`).join('\n')}\n`,
    )
    return 0
  }
  const text = COMMANDS.includes(word) ? 'this double does nothing' : `No such command '${word}'.`
  err(`Usage: smolvm [OPTIONS] COMMAND [ARGS]...\nTry 'smolvm --help' for help.\n\nError: ${text}\n`)
  return 2
}
