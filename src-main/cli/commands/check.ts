import type { CheckRow } from '../../bottles/check-rows.ts'
import { agentFlag } from '../agent-flag.ts'
import type { Face } from '../face.ts'
import { backendFlag, cwdFlag } from '../run-flags.ts'
import { withIcebox } from '../session.ts'
import type { Colour } from '../style.ts'
import { oneLine } from '../width.ts'

const SIGNS: Readonly<Record<CheckRow['state'], readonly [unicode: string, plain: string, colour: Colour]>> =
  {
    yes: ['✓', 'yes', 'green'],
    no: ['✗', 'no ', 'red'],
    unknown: ['?', '?  ', 'yellow'],
  }

/** `icebox check`: whether a start of this agent would find what it needs here. Ends with 1 when something is missing. */
export async function check(
  face: Face,
  agent: string,
  flags: { readonly cwd?: string; readonly backend?: string },
): Promise<number> {
  const backend = backendFlag(flags.backend)
  const cwd = await cwdFlag(face, flags.cwd)
  const found = await withIcebox(face, (icebox) =>
    icebox.agents.check({ agent: agentFlag(face.cwd, agent), cwd, backend }, face.signal),
  )
  await face.result({
    json: found,
    text: found.checks.map((row) => rowText(face, row)).join('\n'),
    essential: found.checks
      .filter(({ state }) => state === 'no')
      .map((row) => row.check)
      .join('\n'),
  })
  return found.ok ? 0 : 1
}

function rowText(
  face: Pick<Face, 'paint' | 'unicode'>,
  { check: name, state, message, fix }: CheckRow,
): string {
  const [sign, plain, colour] = SIGNS[state]
  const head = `${face.paint(colour, face.unicode ? sign : plain)} ${face.paint('bold', name)}: ${oneLine(message)}`
  return fix === null ? head : `${head} ${face.paint('dim', oneLine(fix))}`
}
