import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  DOCKERFILE_BYTES,
  rebuildDockerfile,
} from '../../../../src-main/backends/macos-container/dockerfile.ts'
import type { SnapshotConfig } from '../../../../src-main/backends/macos-container/rebuild-config.ts'

const config = (run: SnapshotConfig['run'], labels: SnapshotConfig['labels'] = {}): SnapshotConfig => ({
  run,
  labels,
})

/** Reads one instruction's words as the builder does: quotes taken away, escapes undone, variables expanded. */
function words(rest: string): string[] {
  const found: string[] = []
  let word = ''
  let isIn = false
  let isQuoted = false
  for (let at = 0; at < rest.length; at++) {
    const sign = rest[at] ?? ''
    if (sign === '\\' && (isQuoted ? /["\\$]/.test(rest[at + 1] ?? '') : true)) {
      word += rest[++at] ?? ''
      isIn = true
    } else if (sign === '"') {
      isQuoted = !isQuoted
      isIn = true
    } else if (sign === "'" && !isQuoted) throw new Error('single quote outside of quotes')
    else if (sign === '$') throw new Error(`expanded: ${rest}`)
    else if (/[ \t]/.test(sign) && !isQuoted) {
      if (isIn) found.push(word)
      word = ''
      isIn = false
    } else {
      word += sign
      isIn = true
    }
  }
  if (isQuoted) throw new Error(`open quote: ${rest}`)
  return isIn ? [...found, word] : found
}

/** What the builder makes of it. */
function build(text: string) {
  const made = { env: [] as string[], labels: new Map<string, string>(), rest: [] as [string, unknown][] }
  for (const line of text.trimEnd().split(/\r?\n/)) {
    if (line.endsWith('\\')) throw new Error(`goes on in the next line: ${line}`)
    const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/su.exec(line) ?? []
    if (name === 'ENV') made.env.push(words(rest).join(' '))
    else if (name === 'LABEL') {
      const [pair = ''] = words(rest)
      const label = /^"((?:[^"\\]|\\.)*)"=/.exec(rest)?.[1]?.replace(/\\(.)/g, '$1') ?? ''
      made.labels.set(label, pair.slice(label.length + 1))
    } else if (rest.startsWith('[')) made.rest.push([name, JSON.parse(rest)])
    else made.rest.push([name, words(rest).join(' ')])
  }
  return made
}

it('writes the whole config in the order that the builder needs', () => {
  const { text, lost } = rebuildDockerfile(
    'rootfs.tar',
    config(
      {
        Env: ['PATH=/bin', 'EMPTY='],
        Entrypoint: ['/entry', 'a b'],
        Cmd: ['x'],
        WorkingDir: '/work dir',
        User: '1000:1000',
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/data': {} },
        StopSignal: 'SIGINT',
        Shell: ['/bin/ash', '-c'],
      },
      { 'a.b': 'c d' },
    ),
  )
  expect(lost).toEqual([])
  expect(text).toBe(
    `FROM scratch
ADD rootfs.tar /
ENV PATH="/bin"
ENV EMPTY=""
LABEL "a.b"="c d"
WORKDIR "/work dir"
USER "1000:1000"
EXPOSE 80/tcp
STOPSIGNAL "SIGINT"
VOLUME ["/data"]
SHELL ["/bin/ash","-c"]
ENTRYPOINT ["/entry","a b"]
CMD ["x"]
`,
  )
})

it('names what no line can carry', () => {
  const { text, lost } = rebuildDockerfile(
    'rootfs.tar',
    config({
      Env: ['TWO=a\nb', 'BARE', 'odd name=x', 'CR=a\rb'],
      Volumes: { '/a$b': {} },
      ExposedPorts: { '80; rm': {} },
      Healthcheck: { Test: ['CMD', 'true'] },
    }),
  )
  expect(text).toBe('FROM scratch\nADD rootfs.tar /\n')
  expect(lost).toEqual([
    'ENV TWO',
    'ENV BARE',
    'ENV odd name',
    'ENV CR',
    'EXPOSE 80; rm',
    'VOLUME /a$b',
    'HEALTHCHECK',
  ])
})

it('lets every variable survive or names it', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'"\\$\'` \t\n#{}a') }),
  )
  fc.assert(
    fc.property(value, value, fc.array(value, { minLength: 1 }), (env, label, command) => {
      const { text, lost } = rebuildDockerfile(
        'rootfs.tar',
        config({ Env: [`KEY=${env}`], Cmd: command, WorkingDir: `/${env}` }, { 'x.y': label }),
      )
      const made = build(text)
      expect(lost.includes('ENV KEY')).toBe(/[\n\r\0]/.test(env))
      if (!lost.includes('ENV KEY')) expect(made.env).toEqual([`KEY=${env}`])
      if (!lost.includes('LABEL x.y')) expect(made.labels.get('x.y')).toBe(label)
      if (!lost.includes('CMD')) expect(made.rest).toContainEqual(['CMD', command])
      if (!lost.includes('WORKDIR')) expect(made.rest).toContainEqual(['WORKDIR', `/${env}`])
    }),
  )
})

it('knows the largest file that the builder takes', () => {
  expect(DOCKERFILE_BYTES).toBe(16384)
})
