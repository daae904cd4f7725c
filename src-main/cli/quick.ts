import type { Face, GlobalFlags } from './face.ts'

interface Quick {
  readonly flags: GlobalFlags
  run(face: Face): Promise<number>
}

/**
 * The command lines that scripts and prompts call all the time, read without the full parser, which would cost
 * as much as the command itself: `list` with plain flags, and `--version`. Undefined for anything else.
 */
export function parseQuick(argv: readonly string[]): Quick | undefined {
  const [first, ...rest] = argv
  if (first === '--version' && rest.length === 0) {
    return { flags: {}, run: printVersion }
  }
  if (first !== 'list') return undefined
  const flags = { json: false, quiet: false, active: false, all: false }
  let home: string | undefined
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index]
    const next = rest[index + 1]
    if (word === '--home' && next !== undefined && !next.startsWith('-')) {
      home = next
      index += 1
    } else if (word === '--json' || word === '--quiet' || word === '--active' || word === '--all') {
      flags[word.slice(2) as keyof typeof flags] = true
    } else return undefined
  }
  return {
    flags: { json: flags.json, quiet: flags.quiet, ...(home === undefined ? {} : { home }) },
    run: async (face) =>
      (await import('./commands/list.ts')).list(face, { active: flags.active, all: flags.all }),
  }
}

async function printVersion(face: Face): Promise<number> {
  const { VERSION } = await import('./version.ts')
  await face.stdout.write(`${VERSION}\n`)
  return 0
}
