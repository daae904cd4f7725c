import { mkdir, readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AgentAccess, ScreenText } from '../../../src-main/backends/agent-access.ts'
import type { RuntimeRef } from '../../../src-main/backends/backend.ts'
import { barePlan, type HostWorld, never, openHostWorld, until } from '../host/host-fixture.ts'

let world: HostWorld
let access: AgentAccess
const refs: RuntimeRef[] = []

beforeAll(async () => {
  world = await openHostWorld()
  const found = await world.backend.access?.()
  if (!found) throw new Error('no access')
  access = found
})
afterEach(async () => {
  for (const ref of refs.splice(0)) await world.backend.remove(ref, never())
})
afterAll(() => world.close())

/** Starts a bottle of its own in the same world. */
async function launch(
  script: string,
  slug: string,
  multiplexer: 'tmux' | 'screen' = 'tmux',
  more: object = {},
): Promise<RuntimeRef> {
  const stateDir = world.root.path('state', slug)
  await mkdir(stateDir, { recursive: true })
  const plan = {
    ...barePlan(world.root.id, slug, stateDir),
    argv: ['/bin/sh', '-c', script],
    tty: true,
    multiplexer,
    ...more,
  }
  const ref = await world.backend.launch(plan, () => undefined, never())
  refs.push(ref)
  return ref
}

const shown = (screen: ScreenText | null): string => screen?.lines.join('\n').trimEnd() ?? ''
const screenOf = async (ref: RuntimeRef): Promise<string> => shown(await access.screen(ref, never()))
const logOf = (ref: RuntimeRef): string => world.root.path('state', ref.slug, 'logs', `${ref.runId}.log`)

const ECHO = 'stty size; printf "say? "; while IFS= read -r x; do printf "got[%s]\\n" "$x"; done'

describe.each(['tmux', 'screen'] as const)('%s', (multiplexer) => {
  it('shows the screen, types texts as they are, and ends with the agent', async () => {
    const ref = await launch(ECHO, `talk-${multiplexer}`, multiplexer)
    await until('the question', async () => (await screenOf(ref)).includes('say?'))
    const first = await access.screen(ref, never())
    expect(first).toMatchObject({ cols: 120, rows: 32 })
    expect(first?.lines).toHaveLength(32)
    expect(first?.lines[0]).toBe('32 120')
    const nasty = `$HOME ^C \\n ; %n é中 "q" 'x' \`id\` #{pane_id} end;`
    await access.type(ref, [{ text: nasty }, { key: 'Enter' }], never())
    await until('the answer', async () => (await screenOf(ref)).includes(`got[${nasty}]`))
    await access.type(ref, [{ key: 'C-d' }], never())
    expect((await world.backend.wait(ref, never()))?.exitCode).toBe(0)
    expect(await access.screen(ref, never())).toBeNull()
    await expect(access.type(ref, [{ text: 'x' }], never())).rejects.toMatchObject({ code: 'not-found' })
  })

  it('weakness 15: session names are matched exactly, a sibling whose name begins alike is untouched', async () => {
    const web = await launch(ECHO, `web-${multiplexer}`, multiplexer)
    const sibling = await launch(ECHO, `web-${multiplexer}-2`, multiplexer)
    for (const ref of [web, sibling])
      await until('both ask', async () => (await screenOf(ref)).includes('say?'))
    await access.type(web, [{ text: 'only me' }, { key: 'Enter' }], never())
    await until('web answers', async () => (await screenOf(web)).includes('got[only me]'))
    expect(await screenOf(sibling)).not.toContain('only me')
    await world.backend.stop(web, { graceSeconds: 2 }, never())
    await world.backend.remove(web, never())
    await access.type(sibling, [{ text: 'still here' }, { key: 'Enter' }], never())
    await until('the sibling answers', async () => (await screenOf(sibling)).includes('got[still here]'))
    // Asked by the name of the one that is gone, which is where the sibling's begins, nobody answers.
    await expect(access.type(web, [{ text: 'lost' }], never())).rejects.toMatchObject({ code: 'not-found' })
    expect(await screenOf(sibling)).not.toContain('lost')
  })

  it('weakness 20: the full output is on disk, far beyond what the terminal keeps', async () => {
    const ref = await launch(
      'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo line-$i; done; read x',
      `full-${multiplexer}`,
      multiplexer,
    )
    await until('the end', async () => (await screenOf(ref)).includes('line-30000'))
    await until('the log', async () => (await readFile(logOf(ref), 'utf8')).includes('line-30000\r\n'))
    const text = await readFile(logOf(ref), 'utf8')
    expect(text.startsWith('line-1\r\n')).toBe(true)
    expect(text.match(/line-/g)).toHaveLength(30_000)
  })
})
