import { expect, test } from 'vitest'
import type { EngineReport } from '../../../../src-preload/contract/entities.ts'
import { presentEngines } from '../../../../src-renderer/engines/present-engines.ts'

const engines = (states: Readonly<Record<string, EngineReport['state']>>): EngineReport[] =>
  Object.entries(states).map(([name, state]) => ({
    name,
    title: name,
    state,
    version: null,
    endpoint: null,
    remote: false,
    capabilities: {},
    limits: [],
    reason: null,
    fix: null,
  }))
const shown = (states: Readonly<Record<string, EngineReport['state']>>, ...backends: string[]) =>
  presentEngines(
    engines(states),
    backends.map((backend) => ({ backend })),
  ).map(({ name }) => name)

test('engines that nobody has and nobody needs take no room', () => {
  expect(shown({ docker: 'ready', host: 'ready', 'macos-container': 'missing' })).toEqual(['docker', 'host'])
  expect(shown({ docker: 'down', host: 'ready', smolmachines: 'unknown' })).toEqual([
    'docker',
    'host',
    'smolmachines',
  ])
})

test('an absent one shows while bottles need it', () => {
  expect(shown({ docker: 'ready', smolmachines: 'missing' }, 'smolmachines')).toEqual([
    'docker',
    'smolmachines',
  ])
})

test('Docker stands for all where no container engine is here', () => {
  expect(shown({ docker: 'missing', host: 'ready', 'macos-container': 'missing' })).toEqual([
    'docker',
    'host',
  ])
  expect(shown({ docker: 'missing', host: 'ready', 'macos-container': 'ready' })).toEqual([
    'host',
    'macos-container',
  ])
})
