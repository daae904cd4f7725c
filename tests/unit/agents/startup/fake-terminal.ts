import type { AgentAccess, Stroke } from '../../../../src-main/backends/agent-access.ts'
import type { RuntimeRef } from '../../../../src-main/state/runtime-ref.ts'

export const REF: RuntimeRef = {
  backend: 'host',
  id: '1',
  name: 'bot-bottle-a',
  slug: 'a',
  runId: 'run0000001',
  volumes: [],
  networks: [],
  sidecars: [],
  facts: {},
}

/** A terminal whose program is a function of what was typed: it answers with the next screen. Null ends it. */
export function fakeTerminal(program: (typed: readonly string[], looks: number) => string | null) {
  const typed: string[] = []
  const bells = new Set<() => void>()
  let looks = 0
  const refuse = () => Promise.reject(new Error('not part of this test'))
  const access: AgentAccess = {
    screen: async () => {
      const text = program(typed, ++looks)
      return text === null ? null : { lines: text.split('\n'), cols: 80, rows: 24 }
    },
    type: async (_ref, strokes: readonly Stroke[]) => {
      for (const stroke of strokes) {
        if ('text' in stroke) typed.push(stroke.text)
        else if ('key' in stroke) typed.push(`<${stroke.key}>`)
      }
    },
    output: async function* (_ref, signal) {
      await new Promise<void>((resolve) => {
        bells.add(resolve)
        signal.addEventListener('abort', () => resolve())
      })
      yield Date.now()
    },
    list: refuse,
    read: refuse,
    obstacle: refuse,
    write: refuse,
    remove: refuse,
  }
  const ring = () => {
    for (const bell of bells) bell()
  }
  return { access, typed, ring, looks: () => looks }
}
