import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type CommandFacts,
  commandFolders,
  commandScript,
  type Found,
  isOurs,
  type Place,
  planCommand,
} from '../../../src-main/shell/command-plan.ts'
import { runChild } from '../../support/child.ts'

const APP = ['/Applications/Icebox.app/Contents/MacOS/Icebox']
const SCRIPT = commandScript('darwin', APP)
const ABSENT: Found = { is: 'nothing' }

const place = (dir: string, found: Found = ABSENT, isWritable = true): Place => ({ dir, isWritable, found })
const plan = (places: readonly Place[], other: Partial<CommandFacts> = {}) =>
  planCommand({ platform: 'darwin', program: APP, places, path: '/usr/bin:/bin', ...other })

test('a Mac offers the common folder first, Linux the person’s own', () => {
  expect(commandFolders('darwin', '/Users/a', undefined)).toEqual(['/usr/local/bin', '/Users/a/.local/bin'])
  expect(commandFolders('linux', '/home/a', '')).toEqual(['/home/a/.local/bin'])
  expect(commandFolders('darwin', '/Users/a', '/opt/mine')).toEqual(['/opt/mine'])
  expect(commandFolders('linux', '/home/a', 'relative')).toEqual(['/home/a/.local/bin'])
})

describe('the script', () => {
  test('starts the app without its window, and only on Linux without a display', () => {
    expect(SCRIPT).toBe(
      `#!/bin/sh\n# Installed by Icebox.\nexec '/Applications/Icebox.app/Contents/MacOS/Icebox' --cli -- "$@"\n`,
    )
    expect(commandScript('linux', ['/opt/Icebox/icebox-desktop'])).toContain(
      '--ozone-platform=headless --cli --',
    )
  })
  test('hands its words on as they are, whatever the app’s path has in it', async () => {
    const echo = ['/usr/bin/env', 'printf', '%s|', `it's "odd" $HOME \`x\``]
    const { stdout } = await runChild(
      '/bin/sh',
      ['-c', commandScript('darwin', echo), 'icebox', 'a b', '--json'],
      {
        timeout: 10_000,
      },
    )
    expect(stdout).toBe(`it's "odd" $HOME \`x\`|--cli|--|a b|--json|`)
  })
  test('of the Debian package is the same, but for its first remark', async () => {
    const packed = await readFile(
      join(import.meta.dirname, '../../../src-main/shell/resources/deb/icebox'),
      'utf8',
    )
    const words = (text: string) =>
      text
        .replaceAll("'", '')
        .split('\n')
        .filter((line) => !line.startsWith('# '))
    expect(words(packed)).toEqual(words(commandScript('linux', ['/opt/Icebox/icebox-desktop'])))
  })
})

describe('the plan', () => {
  test('writes into the first folder that allows it', () => {
    expect(plan([place('/usr/local/bin', ABSENT, false), place('/h/.local/bin')])).toMatchObject({
      do: 'write',
      file: '/h/.local/bin/icebox',
      script: SCRIPT,
      isForeign: false,
    })
  })
  test('tells how a shell finds it where it would not', () => {
    expect(plan([place('/h/.local/bin')])).toMatchObject({
      hint: expect.stringContaining('export PATH="/h/.local/bin:$PATH"'),
    })
    expect(plan([place('/h/.local/bin')], { path: '/bin:/h/.local/bin' })).toMatchObject({ hint: null })
    expect(plan([place('/usr/local/bin')])).toMatchObject({ hint: null })
  })
  test('renews what an older place of the app left behind, unasked and where it is', () => {
    const old: Found = { is: 'script', text: commandScript('darwin', ['/old/Icebox']) }
    expect(plan([place('/usr/local/bin'), place('/h/.local/bin', old)])).toMatchObject({
      do: 'write',
      file: '/h/.local/bin/icebox',
      isForeign: false,
    })
  })
  test.each<Found>([{ is: 'other' }, { is: 'script', text: '#!/bin/sh\nexec something else\n' }])(
    'asks before it replaces what is not its own: %o',
    (found) => {
      expect(plan([place('/usr/local/bin', found)])).toMatchObject({ do: 'write', isForeign: true })
    },
  )
  test('offers to remove what is there', () => {
    const places = [place('/usr/local/bin'), place('/h/.local/bin', { is: 'script', text: SCRIPT }, false)]
    expect(plan(places)).toMatchObject({ do: 'offer-removal', file: '/h/.local/bin/icebox' })
  })
  test('never replaces a folder', () => {
    expect(plan([place('/usr/local/bin', { is: 'folder' })])).toMatchObject({ do: 'refuse' })
  })
  test('says where nothing can be written', () => {
    expect(plan([place('/usr/local/bin', ABSENT, false), place('/h', ABSENT, false)])).toEqual({
      do: 'refuse',
      reason: 'Nothing can be written into /usr/local/bin or /h.',
    })
  })
  test.each([
    '/private/var/folders/x/AppTranslocation/y/d/Icebox.app/Contents/MacOS/Icebox',
    '/Volumes/Icebox/Icebox',
  ])('refuses an app that will be elsewhere at its next start: %s', (program) => {
    expect(plan([place('/usr/local/bin')], { program: [program] })).toMatchObject({
      do: 'refuse',
      reason: expect.stringContaining('Applications folder'),
    })
  })
})

test('only a script with the mark in its second line is Icebox’s own', () => {
  expect(isOurs({ is: 'script', text: SCRIPT })).toBe(true)
  expect(
    isOurs({ is: 'script', text: `#!/bin/sh\necho '# Installed by Icebox.'\n# Installed by Icebox.` }),
  ).toBe(false)
  expect(isOurs({ is: 'other' })).toBe(false)
})
