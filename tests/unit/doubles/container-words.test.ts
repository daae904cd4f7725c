import { describe, expect, it } from 'vitest'
import {
  expand,
  parseCommand,
  parseDockerfile,
  parsePairs,
  splitWords,
} from '../../support/doubles/container/dockerfile.ts'
import {
  AggregateContainerError,
  ContainerError,
  connectionError,
  tellError,
} from '../../support/doubles/container/errors.ts'
import {
  mergeEnv,
  parseEnv,
  parseLabels,
  parseMemory,
  parsePort,
  parseSignal,
} from '../../support/doubles/container/parse-values.ts'
import { normaliseReference, shortReference } from '../../support/doubles/container/references.ts'
import { isoDate, referenceDate, swiftJson } from '../../support/doubles/container/swift-json.ts'

describe('how container reads and writes', () => {
  it('has labels whose values lose what stands behind an equals sign', () => {
    expect(parseLabels(['a=1', 'b', 'c=', 'd=x='])).toEqual({ a: '1', b: '', c: '', d: 'x' })
    expect(() => parseLabels(['k=a=b'])).toThrow('invalid label format k=a=b')
    expect(() => parseLabels(['k=YWI=='])).toThrow('invalid label format')
  })

  it('wants 200 MiB at least, in whole ones', () => {
    expect(parseMemory('512M')).toBe(512 * 1024 ** 2)
    expect(parseMemory('1G')).toBe(1024 ** 3)
    expect(parseMemory(`${300 * 1024 ** 2 + 5}`)).toBe(300 * 1024 ** 2)
    expect(() => parseMemory('199M')).toThrow(
      'minimum memory amount allowed is 200 MiB (got 208666624 bytes)',
    )
    expect(() => parseMemory('lots')).toThrow('invalid memory value')
  })

  it('normalises references and shows them short', () => {
    expect(normaliseReference('foo')).toBe('docker.io/library/foo:latest')
    expect(normaliseReference('me/foo:1')).toBe('docker.io/me/foo:1')
    expect(normaliseReference('localhost:5000/foo')).toBe('localhost:5000/foo:latest')
    expect(shortReference('docker.io/library/foo:1')).toBe('foo:1')
    expect(() => normaliseReference('Foo')).toThrow('invalid reference')
    expect(() => normaliseReference('a b')).toThrow('invalid reference')
  })

  it('sorts keys, escapes slashes, leaves nothing out but null', () => {
    expect(swiftJson([{ b: '/x', a: 1, n: null }])).toBe('[{"a":1,"b":"\\/x"}]')
    expect(swiftJson([{ b: {}, a: [1] }], true)).toBe(
      '[\n  {\n    "a" : [\n      1\n    ],\n    "b" : {\n\n    }\n  }\n]',
    )
    expect(isoDate(Date.UTC(2026, 7, 7, 18, 36, 1, 900))).toBe('2026-08-07T18:36:01Z')
    expect(referenceDate(Date.UTC(2001, 0, 1, 0, 0, 2))).toBe(2)
  })

  it('tells one error, several errors and a silent service in three ways', () => {
    const missing = new ContainerError(
      'internalError',
      'failed to stop container',
      new ContainerError('notFound', 'container with ID x not found'),
    )
    expect(tellError(missing)).toBe(
      'Error: failed to stop container (cause: "notFound: "container with ID x not found"")',
    )
    expect(tellError(new AggregateContainerError([missing, missing]))).toBe(
      'Error: internalError: "failed to stop container" (cause: "notFound: "container with ID x not found"")\n' +
        'internalError: "failed to stop container" (cause: "notFound: "container with ID x not found"")',
    )
    expect(tellError(connectionError())).toBe(
      'Error: interrupted: "XPC connection error: Connection invalid"\nEnsure container system service has been started with `container system start`.',
    )
  })

  it('merges environments by name and inherits only what is set', () => {
    expect(mergeEnv(['A=1', 'B=1'], ['A=2'])).toEqual(['A=2', 'B=1'])
    expect(parseEnv(['A=', 'B', 'C'], { B: 'b=c' })).toEqual(['A=', 'B=b=c'])
  })

  it('knows signals and ports', () => {
    expect([parseSignal('TERM'), parseSignal('sigint'), parseSignal('9')]).toEqual([
      'SIGTERM',
      'SIGINT',
      'SIGKILL',
    ])
    expect(() => parseSignal('NONE')).toThrow('invalid signal')
    expect(parsePort('127.0.0.1:80:90/udp')).toEqual({
      hostAddress: '127.0.0.1',
      hostPort: 80,
      containerPort: 90,
      proto: 'udp',
    })
  })
})

describe('its Dockerfiles', () => {
  const none = new Map<string, string>()

  it('are read with comments, continued lines and flags', () => {
    const read = parseDockerfile(
      '# one\nFROM scratch\nENV A=1 \\\n # two\n  B=2\nCOPY --from=x --chown=1:1 a b\n',
    )
    expect(read.map(({ name, text, flags }) => [name, text.replace(/\s+/g, ' '), flags])).toEqual([
      ['FROM', 'scratch', {}],
      ['ENV', 'A=1 B=2', {}],
      ['COPY', 'a b', { from: 'x', chown: '1:1' }],
    ])
  })

  it('lose quotes and escapes and get variables', () => {
    const variables = new Map([['X', 'x']])
    expect(expand('"a\\"b\\\\c\\$X $X"', variables)).toBe('a"b\\c$X x')
    expect(expand("'$X'", variables)).toBe('$X')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Dockerfiles write variables like that.
    expect(expand('${Y:-z}${X:+w}\\$', variables)).toBe('zw$')
    expect(splitWords('A="1 2" B=\\ 3', 1)).toEqual(['A="1 2"', 'B=\\ 3'])
    expect(() => splitWords('A="1', 1)).toThrow('matching quote')
  })

  it('name pairs in the new and the old way', () => {
    const env = (text: string) => parsePairs({ name: 'ENV', text, flags: {}, line: 1 }, none)
    expect(env('A="x y" B=')).toEqual([
      ['A', 'x y'],
      ['B', ''],
    ])
    expect(env('A x y')).toEqual([['A', 'x y']])
    expect(() => env('A')).toThrow('must have two arguments')
    expect(() => env('A=1 B')).toThrow("can't find = in")
  })

  it('give commands as lists or as lines for the shell', () => {
    expect(parseCommand('["a", "b c"]')).toEqual(['a', 'b c'])
    expect(parseCommand('a b')).toEqual(['/bin/sh', '-c', 'a b'])
  })
})
