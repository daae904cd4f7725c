import type { Face } from '../face.ts'
import { cwdFlag } from '../run-flags.ts'
import { withIcebox } from '../session.ts'
import { formatTable } from '../table.ts'

/** `icebox agents`, also `list --agents`: the definitions that can be started from a folder. */
export async function agents(face: Face, flags: { readonly cwd?: string }): Promise<number> {
  const cwd = await cwdFlag(face, flags.cwd)
  const found = (await withIcebox(face, (icebox) => icebox.agents.list(cwd))).agents
  await face.result({
    json: found,
    text:
      found.length === 0
        ? 'There are no agents yet. `icebox init` writes a first one.'
        : formatTable(
            found,
            [
              { title: 'AGENT', cell: (agent) => ({ text: agent.name, colour: 'bold' }), shrinkTo: 12 },
              { title: 'PROVIDER', cell: (agent) => agent.provider },
              { title: 'BOTTLE', cell: (agent) => agent.bottle ?? '', shrinkTo: 8 },
              { title: 'SOURCE', cell: (agent) => agent.source },
              { title: 'DESCRIPTION', cell: (agent) => agent.description, shrinkTo: 10 },
              {
                title: 'ERROR',
                cell: (agent) => ({ text: agent.problem ?? '', colour: 'red' }),
                shrinkTo: 10,
              },
            ],
            { width: face.stdout.width, paint: face.paint },
          ),
    essential: found.map((agent) => agent.name).join('\n'),
  })
  return 0
}
