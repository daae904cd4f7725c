import { expect, test } from 'vitest'
import { doctorText, engineText, silentEngines, wrapText } from '../../../src-main/cli/doctor-text.ts'
import { colourPaint, plainPaint } from '../../../src-main/cli/style.ts'
import { textWidth } from '../../../src-main/cli/width.ts'
import type { EngineReport } from '../../../src-preload/contract/index.ts'

const engine = (over: Partial<EngineReport>): EngineReport => ({
  name: 'docker',
  title: 'Docker',
  state: 'ready',
  version: null,
  endpoint: null,
  remote: false,
  capabilities: {},
  limits: [],
  reason: null,
  fix: null,
  ...over,
})
const APPLE = engine({
  name: 'macos-container',
  title: 'Apple container 1.0.0',
  state: 'down',
  capabilities: { liveFreeze: false, labels: true, someNewThing: true },
  limits: [
    'Freezing has to stop a running bottle and start it again: exports of running ones work from 1.2.1 on.',
  ],
  reason:
    'Its services do not run, so nothing can be listed, started or frozen on it until they are started.',
  fix: 'container system start --enable-kernel-install',
})
const MISSING = engine({
  name: 'smolmachines',
  title: 'smolmachines',
  state: 'missing',
  reason: 'No smolvm.',
})
const look = { paint: plainPaint, unicode: false, width: 80 }

test('an engine is told with its state, why, what mends it, what it can and what it can not', () => {
  expect(engineText(APPLE, 2, look).split('\n')).toEqual([
    'Apple container 1.0.0  not running  2 bottles',
    '  Reason      Its services do not run, so nothing can be listed, started or',
    '              frozen on it until they are started.',
    '  To mend it  container system start --enable-kernel-install',
    '  Can         some new thing',
    '  Can’t       freeze while running',
    '  Limits      - Freezing has to stop a running bottle and start it again:',
    '                exports of running ones work from 1.2.1 on.',
  ])
})

test.each([60, 80, 120])('no line is wider than %i cells but a command, which is never broken', (width) => {
  const text = engineText(APPLE, 2, { paint: plainPaint, unicode: true, width })
  for (const line of text.split('\n'))
    if (!line.includes('container system start')) expect(textWidth(line)).toBeLessThanOrEqual(width)
  expect(text).toContain('To mend it  container system start --enable-kernel-install')
})

test('without a terminal nothing is wrapped, coloured or marked', () => {
  const text = engineText(APPLE, 0, { paint: plainPaint, unicode: false, width: undefined })
  expect(text).toContain(`Reason      ${APPLE.reason}`)
  expect(text).not.toMatch(/[●◐○]|bottles/)
  expect(engineText(APPLE, 0, { ...look, paint: colourPaint })).toContain('\u001b[31mnot running')
})

test('what is not installed comes last, with how to install it', () => {
  const machine = { version: '1', node: '24', platform: 'linux-x64', home: '/h' }
  const installable = { ...MISSING, fix: 'brew install it' }
  const text = doctorText(machine, [installable, engine({})], new Map(), look)
  expect(text.indexOf('Docker  ready')).toBeLessThan(text.indexOf('smolmachines  not installed'))
  expect(text).toContain('To install  brew install it')
  expect(text).toContain('State     /h')
})

test('an engine that answers and is of no use is not said to be silent', () => {
  const old = { ...APPLE, state: 'unknown' as const, version: '0.9.0', reason: 'Too old.' }
  expect(engineText(old, 0, look)).toContain('Apple container 1.0.0  can’t be used\n')
  expect(engineText({ ...old, version: null }, 0, look)).toContain('  no answer\n')
})

test('text from engines can not drive the terminal', () => {
  expect(engineText(engine({ title: 'a\u001b[2Jb', reason: 'c\nd\u0007' }), 0, look)).toBe(
    'a [2Jb  ready\n  Reason      c d',
  )
})

test('only an engine that bottles need makes the doctor fail', () => {
  expect(silentEngines([APPLE, MISSING, engine({})], new Map([['docker', 1]]))).toEqual([])
  expect(silentEngines([APPLE, MISSING], new Map([['macos-container', 1]]))).toEqual([APPLE])
  expect(silentEngines([APPLE, MISSING], new Map([['smolmachines', 1]]))).toEqual([MISSING])
})

test('words wider than the line stay whole', () => {
  expect(wrapText('a verylongword b', 5)).toEqual(['a', 'verylongword', 'b'])
  expect(wrapText('  ', 5)).toEqual([])
})
