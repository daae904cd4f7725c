import { doctorText, silentEngines } from '../doctor-text.ts'
import type { Face } from '../face.ts'
import { withIcebox } from '../session.ts'
import { VERSION } from '../version.ts'

/**
 * `icebox doctor`: reports, and changes nothing. An engine that is missing is an answer; the command fails only when
 * bottles need one that can't be used.
 */
export async function doctor(face: Face): Promise<number> {
  return withIcebox(face, async ({ bottles, root }) => {
    const [engines, rows] = await Promise.all([
      bottles.engines(face.signal),
      // A list that can't be read is for `icebox list` to tell.
      bottles.list(face.signal).catch(() => []),
    ])
    face.signal.throwIfAborted()
    const counts = new Map<string, number>()
    for (const { backend } of rows) counts.set(backend, (counts.get(backend) ?? 0) + 1)
    const machine = {
      version: VERSION,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      home: root.dir,
    }
    const look = { paint: face.paint, unicode: face.unicode, width: face.stdout.width }
    const silent = silentEngines(engines, counts)
    await face.result({
      json: {
        ...machine,
        engines: engines.map((engine) => ({ ...engine, bottles: counts.get(engine.name) ?? 0 })),
      },
      text: doctorText(machine, engines, counts, look),
      essential: engines
        .filter((engine) => engine.state === 'ready')
        .map((engine) => engine.name)
        .join('\n'),
    })
    for (const engine of silent) {
      await face.warn(`${engine.title} has bottles here and can't be used. ${engine.reason ?? ''}`)
    }
    return silent.length > 0 ? 1 : 0
  })
}
