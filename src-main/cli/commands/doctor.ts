import type { EngineReport } from '../../../src-preload/contract/entities.ts'
import type { Face } from '../face.ts'
import { formatPairs } from '../pairs.ts'
import { withIcebox } from '../session.ts'
import type { Colour } from '../style.ts'
import { VERSION } from '../version.ts'

const COLOURS: Readonly<Record<EngineReport['state'], Colour>> = {
  ready: 'green',
  missing: 'dim',
  down: 'red',
  unknown: 'yellow',
}

/** `icebox doctor`: reports, and changes nothing. An engine that is missing is an answer, not a failure. */
export async function doctor(face: Face): Promise<number> {
  return withIcebox(face, async ({ bottles, root }) => {
    const engines = await bottles.engines(face.signal)
    const machine = {
      version: VERSION,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      home: root.dir,
    }
    const head = formatPairs(
      [
        ['Icebox', machine.version],
        ['Node', machine.node],
        ['Platform', machine.platform],
        ['State', machine.home],
      ],
      face.paint,
    )
    await face.result({
      json: { ...machine, engines },
      text: [head, ...engines.map((engine) => engineText(face, engine))].join('\n\n'),
      essential: engines
        .filter((engine) => engine.state === 'ready')
        .map((engine) => engine.name)
        .join('\n'),
    })
    return 0
  })
}

function engineText(face: Face, engine: EngineReport): string {
  const able = Object.entries(engine.capabilities)
  return formatPairs(
    [
      [engine.title || engine.name, face.paint(COLOURS[engine.state], engine.state)],
      ['Version', engine.version ?? ''],
      ['Endpoint', engine.endpoint ? `${engine.endpoint}${engine.remote ? ' (remote)' : ''}` : ''],
      [
        'Can',
        able
          .filter(([, can]) => can)
          .map(([name]) => name)
          .join(', '),
      ],
      [
        'Can not',
        able
          .filter(([, can]) => !can)
          .map(([name]) => name)
          .join(', '),
      ],
      ['Reason', engine.reason ?? ''],
      ['To mend it', engine.fix ?? ''],
    ],
    face.paint,
  )
}
