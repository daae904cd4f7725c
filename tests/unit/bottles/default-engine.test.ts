import { expect, test } from 'vitest'
import { defaultEngine, imageBackends } from '../../../src-main/bottles/default-engine.ts'
import type { EngineReport } from '../../../src-preload/contract/index.ts'

type State = EngineReport['state']

/** Backends in given states; those without one are not installed, and asking them would be a mistake. */
const backends = (states: Readonly<Record<string, State>>) => ({
  isInstalled: async (name: string) => name in states,
  get: async (name: string) =>
    ({
      name,
      probe: async () => {
        const state = states[name]
        if (!state) throw new Error(`${name} was asked`)
        return { name, title: name, state }
      },
    }) as never,
})
const chosen = async (states: Readonly<Record<string, State>>, first: string | null = null) =>
  (await defaultEngine(backends(states), first, new AbortController().signal))?.backend.name ?? null

test('this machine is no container engine, and a wish goes first', () => {
  const known = ['docker', 'host', 'macos-container', 'smolmachines'] as const
  expect(imageBackends(null, known)).toEqual(['docker', 'macos-container', 'smolmachines'])
  expect(imageBackends('smolmachines', known)).toEqual(['smolmachines', 'docker', 'macos-container'])
  expect(imageBackends('nowhere', known)).toEqual(['docker', 'macos-container', 'smolmachines'])
})

test('an engine that is installed is never replaced in silence, one that is missing is', async () => {
  expect(await chosen({ docker: 'ready' })).toBe('docker')
  expect(await chosen({ docker: 'down', 'macos-container': 'ready' })).toBe('docker')
  expect(await chosen({ docker: 'missing', 'macos-container': 'ready' })).toBe('macos-container')
  expect(await chosen({ docker: 'missing', 'macos-container': 'down', smolmachines: 'ready' })).toBe(
    'macos-container',
  )
  expect(await chosen({ docker: 'missing', smolmachines: 'missing' })).toBeNull()
})

test('where something comes from counts only while that engine answers', async () => {
  expect(await chosen({ docker: 'ready', smolmachines: 'ready' }, 'smolmachines')).toBe('smolmachines')
  expect(await chosen({ docker: 'ready', smolmachines: 'down' }, 'smolmachines')).toBe('docker')
  expect(await chosen({ docker: 'ready' }, 'macos-container')).toBe('docker')
  expect(await chosen({ docker: 'missing', smolmachines: 'ready' }, 'docker')).toBe('smolmachines')
})
