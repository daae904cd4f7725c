import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseEnvFile, readEnvFiles } from '../../../src-main/agents/env-file.ts'
import { tempFolder } from '../../support/test-root.ts'

const run = promisify(execFile)
const values = (text: string) => parseEnvFile(text, '/home/me').values

describe('lines', () => {
  it.each([
    ['A=1', { A: '1' }],
    ['export A=1', { A: '1' }],
    ['  export   A=1  ', { A: '1' }],
    ['# A=1\n\n  # B=2\nC=3', { C: '3' }],
    ['A=one # comment', { A: 'one' }],
    ['A=sk-1#2', { A: 'sk-1#2' }],
    ['A=', { A: '' }],
    ['A=a=b=c', { A: 'a=b=c' }],
    ["A='it # $HOME \\n'", { A: 'it # $HOME \\n' }],
    ['A="q\\"q $x \\\\ \\n"  # why', { A: 'q"q $x \\ \n' }],
    ['A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
    ['A=~\nB=~/x\nC=a~/x\nD="~/x"', { A: '/home/me', B: '/home/me/x', C: 'a~/x', D: '~/x' }],
    ['A=$(touch /tmp/x)`id`$B', { A: '$(touch /tmp/x)`id`$B' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['\uFEFFA=1', { A: '1' }],
    ['A=1\nA=2', { A: '2' }],
  ])('%j', (text, expected) => {
    expect(parseEnvFile(text, '/home/me')).toEqual({ values: expected, problems: [] })
  })

  it.each([
    '1A=x',
    'A',
    'A B=canary',
    '=canary',
    'A-B=canary',
    "A='canary",
    'A="canary\nB=1',
    "A='x' canary",
  ])('%j is a problem whose words never hold a value', (text) => {
    const { problems } = parseEnvFile(text, '/home/me')
    expect(problems).toHaveLength(1)
    expect(problems[0]?.line).toBe(1)
    expect(JSON.stringify(problems)).not.toContain('canary')
  })
  it('a prototype’s name is a name as any other', () => {
    expect(Object.entries(values('__proto__=1\nconstructor=2'))).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
  })
})

test('any text is read or refused, and never throws', () => {
  const signs = ['A', '=', '"', "'", '\\', '\n', '\r', '#', ' ', '~', 'é', '\0']
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...signs), maxLength: 60 }), (text) => {
      const { values: found, problems } = parseEnvFile(text, '/h')
      expect(Object.keys(found).length + problems.length).toBeLessThanOrEqual(text.split('\n').length)
    }),
  )
})

test('a quoted value arrives as it was', () => {
  const quoted = (value: string) => `A='${value}'`
  fc.assert(
    fc.property(
      fc.string().filter((value) => !/['\0\r]/.test(value)),
      (value) => {
        expect(values(quoted(value))).toEqual({ A: value })
      },
    ),
  )
})

test('plain lines mean what a shell makes of them', async () => {
  const text = ['A=plain', "B='a b $c'", 'export C="d \\"e\\" \\$f"', 'D=x#y', 'E=z # comment', "F=''"].join(
    '\n',
  )
  const file = join(await tempFolder(), 'env')
  await writeFile(file, text)
  const { stdout } = await run('sh', [
    '-c',
    'set -a; . "$1"; printf "%s|" "$A" "$B" "$C" "$D" "$E" "$F"',
    'x',
    file,
  ])
  const { A, B, C, D, E, F } = values(text)
  expect([A, B, C, D, E, F, ''].join('|')).toBe(stdout)
})

describe('files', () => {
  it('later ones win', async () => {
    const dir = await tempFolder()
    await writeFile(join(dir, 'a'), 'A=1\nB=1')
    await writeFile(join(dir, 'b'), 'B=2')
    expect(await readEnvFiles([join(dir, 'a'), join(dir, 'b')], '/h')).toEqual({ A: '1', B: '2' })
  })
  it('that are not there, too long or no files are told by name', async () => {
    const dir = await tempFolder()
    await mkdir(join(dir, 'folder'))
    await writeFile(join(dir, 'long'), 'A='.padEnd(1_000_001, 'x'))
    await writeFile(join(dir, 'bad'), 'A=1\ncanary')
    await run('mkfifo', [join(dir, 'pipe')])
    await expect(readEnvFiles([join(dir, 'none')], '/h')).rejects.toMatchObject({ code: 'not-found' })
    for (const name of ['folder', 'long', 'bad', 'pipe']) {
      const failing = readEnvFiles([join(dir, name)], '/h')
      await expect(failing).rejects.toMatchObject({ code: 'manifest-invalid' })
      await expect(failing).rejects.not.toThrow('canary')
    }
  })
})
