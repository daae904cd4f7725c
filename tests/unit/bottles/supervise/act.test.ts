import { mkdir, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import type { StartupAgent } from '../../../../src-main/agents/startup/start-up.ts'
import type { AgentAccess } from '../../../../src-main/backends/agent-access.ts'
import { type ActingAgent, createActions } from '../../../../src-main/bottles/supervise/act.ts'
import { readJournal } from '../../../../src-main/state/journal.ts'
import { metadataText } from '../../../../src-main/state/metadata.ts'
import { sampleMetadata, sampleRef } from '../../../support/samples.ts'
import { testRoot } from '../../../support/test-root.ts'

/** Actions for one agent whose startup fails with the given words; the keychain can be locked. */
async function scene(reason: string) {
  const root = await testRoot()
  await mkdir(root.path('state', 'web'))
  await writeFile(
    root.path('state', 'web', 'metadata.json'),
    metadataText(sampleMetadata({}, { secretNames: ['TOKEN'] })),
  )
  const clock = { at: 1_000, now: () => clock.at }
  const keychain = { isLocked: false }
  const get = async () => {
    if (keychain.isLocked) throw new Error('locked')
    return 'swordfish'
  }
  const given: string[][] = []
  const startUp = async (agent: StartupAgent) => {
    given.push([...(await agent.secrets())])
    return { kind: 'failed', reason }
  }
  let ended: () => void = () => undefined
  const dispatched = new Promise<void>((resolve) => {
    ended = resolve
  })
  const agent = {
    session: {
      root,
      clock,
      services: { root, env: {}, secrets: async () => ({ get }) },
      parts: { startUp },
    },
    launch: {
      slug: 'web',
      runId: 'run1',
      ref: sampleRef(),
      startedAt: '',
      launched: { provider: 'claude', lifecycle: DEFAULT_LIFECYCLE },
      access: {} as AgentAccess,
    },
    signal: new AbortController().signal,
    state: () => ({ startup: { progress: {} } }),
    dispatch: () => ended(),
    saveStartup: async () => undefined,
  } as unknown as ActingAgent
  const said = async () => (await readJournal(root, 'web')).map(({ message }) => message)
  return { act: createActions(agent), clock, keychain, given, dispatched, said }
}

test('what is told of an agent goes into its journal without secrets', async () => {
  const s = await scene('it asks: use swordfish?')
  await s.act({ kind: 'tell', text: 'It says swordfish.', isFailure: false })
  await s.act({ kind: 'startup' })
  await s.dispatched
  expect(await s.said()).toEqual([
    'It says *********.',
    'Its startup was not completed: it asks: use *********?.',
  ])
  expect(s.given).toEqual([['swordfish']])
})

test('a keychain that was locked is asked again', async () => {
  const s = await scene('')
  s.keychain.isLocked = true
  const tell = () => s.act({ kind: 'tell', text: 'It says swordfish.', isFailure: false })
  await tell()
  s.keychain.isLocked = false
  s.clock.at += 60_000
  await tell()
  expect(await s.said()).toEqual(['It says swordfish.', 'It says *********.'])
})
