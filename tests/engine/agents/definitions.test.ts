import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OperationContext } from '../../../src-main/bottles/services.ts'
import { createIcebox, type Icebox } from '../../../src-main/icebox.ts'
import { must } from '../../support/busybox-image.ts'
import { runChild } from '../../support/child.ts'
import { OUT } from '../../support/icebox-home.ts'
import { ensureBusyboxImage } from '../../support/images.ts'

/** Agent YAML from the file to the running agent, on this machine. */
let base: string
let icebox: Icebox
/** Looks after the agents in this process, so that no start leaves one behind that does. */
let supervision: Promise<number>
const ending = new AbortController()
const notices: string[] = []
const context: OperationContext = {
  signal: new AbortController().signal,
  progress: () => undefined,
  notice: (text) => notices.push(text),
  confirm: async () => true,
}
const CANARY = 'canary-4711-of-this-machine'
/** Quotes, dollars, blanks, line breaks and what a shell would run. */
const ODD = 'a \'b\' "c" $HOME `id` $(id) \\ ; & | > \n second\tline é'

const write = async (path: string, text: string): Promise<string> => {
  const file = join(base, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}
const live = (slug: string, file: string): string =>
  join(base, 'home', 'state', slug, 'live', 'workspace', file)

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'icebox-yaml-'))
  const home = join(base, 'home')
  const env = { ...process.env, ICEBOX_HOME: home, FROM_HERE: CANARY, HOST_NAME_ONLY: 'x' }
  icebox = await createIcebox({ home, env })
  await new Promise<void>((resolve, reject) => {
    supervision = icebox.supervise({
      kind: 'serve',
      signal: ending.signal,
      warn: reject,
      onChange: (generation) => generation !== null && resolve(),
    })
    supervision.catch(reject)
  })
})

afterAll(async () => {
  for (const { slug } of await icebox.bottles.list(context.signal)) {
    await icebox.bottles.destroy({ slug, purge: true }, context)
  }
  ending.abort()
  await supervision
  await icebox.close()
  await rm(base, { recursive: true, force: true })
})

const SCRIPT =
  'printf %s "$ODD" > odd; printf %s "$WHERE" > where; printf %s "$PLAIN" > plain; cat seed.txt > seed; printf "%s\\\\n" "$@" > args'

test('weakness 19: values with quotes, dollars, blanks and line breaks arrive as they are, and nothing of them is run', async () => {
  const folder = 'it\'s a "dir" $(touch pwned) 100%'
  await write(`work/${folder}/seed.txt`, 'from the workdir')
  const file = await write(
    'agents/odd one/odd/spec.yaml',
    `apiVersion: scitex-agent-container/v3
kind: Agent
spec:
  provider: custom
  command:
    headless: [sh, -c, ${JSON.stringify(SCRIPT)}, agent, ${JSON.stringify(ODD)}, "{prompt}"]
  workdir: ${JSON.stringify(join(base, 'work', folder))}
  env:
    ODD: ${JSON.stringify(ODD)}
    WHERE: "<\${FROM_HERE}> \${NOBODY_SET_THIS}"
    PLAIN: "\${not a name} $FROM_HERE"
`,
  )
  const request = {
    agent: file,
    mode: 'headless',
    prompt: '-n; touch pwned',
    cwd: base,
    backend: 'host',
  } as const
  const plan = await icebox.bottles.plan(request, context.signal)
  expect(plan.agent).toBe('odd')
  expect(plan.argv.slice(3)).toEqual(['agent', ODD, '-n; touch pwned'])
  expect(plan.secretNames).toContain('WHERE')
  expect(JSON.stringify(plan)).not.toContain(CANARY)
  const { slug, exitCode } = await icebox.bottles.start(request, context)
  expect({ slug, exitCode }).toEqual({ slug: 'odd', exitCode: 0 })
  const read = (name: string): Promise<string> => readFile(live(slug, name), 'utf8')
  expect(await read('odd')).toBe(ODD)
  expect(await read('where')).toBe(`<${CANARY}> \${NOBODY_SET_THIS}`)
  expect(await read('plain')).toBe(`\${not a name} $FROM_HERE`)
  expect(await read('seed')).toBe('from the workdir')
  expect(await read('args')).toBe(`${ODD}\n-n; touch pwned\n`)
  await expect(read('pwned')).rejects.toThrow('ENOENT')
  // What came from this machine's environment is in no record.
  const metadata = await readFile(join(base, 'home', 'state', slug, 'metadata.json'), 'utf8')
  expect(metadata).not.toContain(CANARY)
  expect(notices.join('\n')).toContain('begins with a copy of')
})

test('a bottle that was started from a file goes on by that file, and says so when it is gone', async () => {
  const text = (word: string): string => `apiVersion: cld-agent/v1
kind: Agent
metadata: {name: builder}
spec:
  provider: custom
  command:
    headless: [sh, -c, "echo ${word} >> words"]
`
  const file = await write('elsewhere/some-file.yaml', text('first'))
  const { slug } = await icebox.bottles.start(
    { agent: file, mode: 'headless', prompt: 'go', cwd: base, backend: 'host' },
    context,
  )
  expect(slug).toBe('builder')
  await icebox.bottles.freeze({ slug }, context)
  await writeFile(file, text('second'))
  await icebox.bottles.resume({ slug, mode: 'headless', prompt: 'go' }, context)
  expect(await readFile(live(slug, 'words'), 'utf8')).toBe('first\nsecond\n')
  const [forked] = await icebox.bottles.fork(
    { slug, count: 1, mode: 'headless', prompt: 'go', cwd: base },
    context,
  )
  expect(await readFile(live(forked?.slug ?? '', 'words'), 'utf8')).toBe('first\nsecond\nsecond\n')
  await rename(file, `${file}.moved`)
  await expect(
    icebox.bottles.resume({ slug, mode: 'headless', prompt: 'go' }, context),
  ).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('builder'),
  })
})

test('what can not run here is refused before anything happens', async () => {
  const before = (await icebox.bottles.list(context.signal)).length
  for (const spec of [
    'remote: far',
    'runtime: slurm',
    'container: {runtime: apptainer}',
    'host: elsewhere',
  ]) {
    const file = await write(
      'agents/far/spec.yaml',
      `apiVersion: scitex-agent-container/v3\nkind: Agent\nspec: {${spec}}\n`,
    )
    const request = { agent: file, mode: 'headless', prompt: 'x', cwd: base } as const
    await expect(icebox.bottles.start(request, context)).rejects.toMatchObject({ code: 'unsupported' })
  }
  expect(await icebox.bottles.list(context.signal)).toHaveLength(before)
})

test('check looks at everything that a start needs and changes nothing', async () => {
  const file = await write(
    'agents/needy/spec.yaml',
    `apiVersion: scitex-agent-container/v3
kind: Agent
spec:
  provider: custom
  command: {interactive: [no-such-program-here]}
  session: resume
  secrets: [FROM_HERE, NOT_SET_ANYWHERE]
  env-file: missing.env
  python-venv: ~/no-such-venv
  workdir: ./no-such-folder
  remote: far
`,
  )
  const found = await icebox.agents.check({ agent: file, cwd: base }, context.signal)
  const states = Object.fromEntries(found.checks.map(({ check, state }) => [check, state]))
  expect(states).toMatchObject({
    definition: 'yes',
    supported: 'no',
    backend: 'yes',
    runtime: 'yes',
    program: 'no',
    'secret FROM_HERE': 'yes',
    'secret NOT_SET_ANYWHERE': 'no',
    'env-file': 'no',
    'python-venv': 'no',
    workdir: 'no',
    session: 'no',
  })
  expect(found.ok).toBe(false)
  expect(found.checks.filter(({ state, fix }) => state === 'no' && fix === null)).toEqual([])
  expect(JSON.stringify(found)).not.toContain(CANARY)
  await writeFile(file, 'apiVersion: scitex-agent-container/v3\nkind: Agent\nspec: {modle: x}\n')
  const broken = await icebox.agents.check({ agent: file, cwd: base }, context.signal)
  expect(broken).toMatchObject({ ok: false, checks: [{ check: 'definition', state: 'no' }] })
  expect(broken.checks[0]?.message).toContain(`${file}:3: `)
})

test('on Docker too, and what came from this machine is in neither container nor image', async () => {
  const image = await ensureBusyboxImage()
  await write('data/shared.txt', 'of this machine')
  const file = await write(
    'agents/boxed/spec.yaml',
    `apiVersion: scitex-agent-container/v3
kind: Agent
spec:
  provider: custom
  command: {headless: [sh, -c, 'printf "%s|%s|%s" "$ODD" "$WHERE" "$(cat /data/shared.txt)"; pwd']}
  container: {runtime: docker, image: ${image}, volumes: [${join(base, 'data')}:/data:ro], network: bridge}
  env: {ODD: ${JSON.stringify(ODD)}, WHERE: "at \${FROM_HERE}"}
`,
  )
  const { slug, exitCode } = await icebox.bottles.start(
    { agent: file, mode: 'headless', prompt: 'go', cwd: base },
    context,
  )
  expect(exitCode).toBe(0)
  const said: Uint8Array[] = []
  for await (const part of icebox.bottles.logs(slug, { follow: false }, context.signal)) said.push(part)
  expect(Buffer.concat(said).toString()).toBe(`${ODD}|at ${CANARY}|of this machine/workspace\n`)
  const { snapshot } = await icebox.bottles.freeze({ slug }, context)
  const seen = [
    await must('docker', ['inspect', `bot-bottle-${slug}`]),
    await must('docker', ['image', 'inspect', snapshot.reference]),
  ].join('')
  expect(seen).toContain(slug)
  expect(seen).not.toContain(CANARY)
})

test('the image that ships with Icebox can be planned before it was ever built', async () => {
  const file = await write(
    'agents/fresh/spec.yaml',
    'apiVersion: scitex-agent-container/v3\nkind: Agent\nspec: {container: {runtime: docker}}\n',
  )
  const request = {
    agent: file,
    mode: 'headless',
    prompt: 'x',
    cwd: base,
    allowMissingSecrets: true,
  } as const
  const plan = await icebox.bottles.plan(request, context.signal)
  expect(plan).toMatchObject({ agent: 'fresh', backend: 'docker', image: { source: 'build' } })
})

test('validate and check from the command line', async () => {
  const file = await write(
    'agents/cli/spec.yaml',
    'apiVersion: scitex-agent-container/v3\nkind: Agent\nspec:\n  restrat: {}\n  health: {interval: never}\n',
  )
  const cli = (...args: readonly string[]) =>
    runChild(process.execPath, [join(OUT, 'main/cli.js'), ...args], {
      cwd: join(base, 'agents'),
      env: { ...process.env, ICEBOX_HOME: join(base, 'home') },
      timeout: 60_000,
    })
  const [bad, checked] = await Promise.all([
    cli('validate', '--json', 'cli/spec.yaml'),
    cli('check', '--json', './cli/spec.yaml'),
  ])
  expect(bad.exitCode).toBe(1)
  expect(JSON.parse(bad.stdout)).toMatchObject({
    ok: false,
    problems: [
      { file, line: 4, hint: 'Did you mean “restart”?' },
      { file, line: 5, hint: 'Write a number from 1 to 86400.' },
    ],
  })
  expect(checked.exitCode).toBe(1)
  expect(JSON.parse(checked.stdout)).toMatchObject({ ok: false, checks: [{ state: 'no' }, { state: 'no' }] })
})
