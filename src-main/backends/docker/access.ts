import type { AgentAccess } from '../agent-access.ts'
import { createTurns } from '../local/in-turn.ts'
import { createPlaces, goneError } from './access-place.ts'
import { listInside, obstacleInside, readInside } from './access-read.ts'
import { createTerminals } from './access-terminal.ts'
import { removeInside, writeInside } from './access-write.ts'
import type { Engine } from './engine.ts'

/** What a supervisor needs of a bottle in a container. */
export function dockerAccess(engine: Engine, home: string): AgentAccess {
  const terminals = createTerminals(engine, home)
  const placeOf = createPlaces(engine)
  const inTurn = createTurns()
  return {
    screen: terminals.screen,
    output: terminals.output,
    type: (ref, strokes, signal) => inTurn(ref.id, () => terminals.type(ref, strokes, signal)),
    async list(ref, folder, limit, signal) {
      const container = await placeOf(ref, signal)
      return container ? listInside(engine, container, folder, limit, signal) : []
    },
    async read(ref, file, tailBytes, signal) {
      const container = await placeOf(ref, signal)
      return container && readInside(engine, container, file, tailBytes, signal)
    },
    async obstacle(ref, file, signal) {
      const container = await placeOf(ref, signal)
      return container && obstacleInside(engine, container, file, signal)
    },
    async write(ref, file, content, signal) {
      const container = await placeOf(ref, signal)
      if (!container) throw goneError(ref)
      await inTurn(`${ref.id} files`, () => writeInside(engine, container, file, content, signal))
    },
    async remove(ref, file, signal) {
      const container = await placeOf(ref, signal)
      if (container) await inTurn(`${ref.id} files`, () => removeInside(engine, container, file, signal))
    },
  }
}
