import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { must } from '../support/busybox-image.ts'
import { ensureBusyboxImage } from '../support/images.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const SECRET = 'canary-secret-0f4b1c77'
const PROMPT_CANARY = 'canary-prompt-5b1e9a20'
const FORGE = 'canary-forge-93d2ce41'
const CANARIES = [SECRET, PROMPT_CANARY, FORGE]

let tests: TestBottles

beforeAll(async () => {
  const image = await ensureBusyboxImage()
  // The definition itself must not hold the canary: the sidecar only tells how long its token is.
  tests = await makeTestBottles(`
backend: docker
image: ${image}
workdir: /work
secrets: [CANARY]
sidecars:
  forge:
    image: ${image}
    command: [sh, -c, 'echo "token of \${#FORGE_TOKEN}"; sleep 300']
`)
})
afterAll(() => tests.dispose())

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

it('leaves no secret, prompt or forge value in state, inspect, image config, history or layers', async () => {
  const cwd = join(tests.home.dir, 'cwd')
  const script = `: ${PROMPT_CANARY}; test "$CANARY" = "$(printf '%s%s' canary-secret- 0f4b1c77)" && echo has-it > got; test -z "$FORGE_TOKEN" && echo no-forge >> got; while [ ! -e go ]; do sleep 0.1; done`
  let forgeLog = ''
  const seeForge = async (slug: string): Promise<void> => {
    // The sidecar goes with the run, so it is looked at while the agent still waits.
    const filters = ['--filter', `label=dev.icebox.slug=${slug}`, '--filter', 'label=dev.icebox.role=sidecar']
    const id = (await must('docker', ['ps', '-aq', ...filters])).trim()
    while (forgeLog === '') forgeLog = await must('docker', ['logs', id])
    sidecar = await must('docker', ['inspect', id])
    await must('docker', ['exec', `bot-bottle-${slug}`, 'touch', '/work/go'])
  }
  let sidecar = ''
  let seen: Promise<void> | undefined
  const { slug, exitCode } = await tests.icebox.bottles.start(
    {
      agent: 'shell',
      mode: 'headless',
      prompt: script,
      label: 'canary',
      cwd,
      secrets: { CANARY: SECRET },
      forgeEnv: { FORGE_TOKEN: FORGE },
      onLaunched: (launched) => {
        seen = seeForge(launched.slug)
      },
    },
    tests.context(),
  )
  await seen
  expect(exitCode).toBe(0)
  const { snapshot } = await tests.icebox.bottles.freeze({ slug }, tests.context())

  // Proof that the canaries did arrive where they belong.
  expect(await must('docker', ['run', '--rm', snapshot.reference, 'cat', '/work/got'])).toBe(
    'has-it\nno-forge\n',
  )
  expect(forgeLog).toContain(`token of ${FORGE.length}`)

  const places: [string, string][] = []
  for (const file of await filesBelow(tests.home.dir)) places.push([file, await readFile(file, 'latin1')])
  places.push(['inspect', await must('docker', ['inspect', `bot-bottle-${slug}`])], ['sidecar', sidecar])
  places.push(['image config', await must('docker', ['image', 'inspect', snapshot.reference])])
  places.push(['history', await must('docker', ['history', '--no-trunc', snapshot.reference])])
  const saved = await mkdtemp(join(tmpdir(), 'canary-'))
  try {
    await must('docker', ['save', '-o', join(saved, 'image.tar'), snapshot.reference])
    places.push(['saved image', await readFile(join(saved, 'image.tar'), 'latin1')])
  } finally {
    await rm(saved, { recursive: true, force: true })
  }
  const found = places.flatMap(([where, text]) =>
    CANARIES.filter((canary) => text.includes(canary)).map((canary) => `${canary} in ${where}`),
  )
  expect(found).toEqual([])
  expect(places.length).toBeGreaterThan(8)
})

it('asks for the forge values again on a resume, and never falls back to a run without them', async () => {
  await expect(tests.resume('canary', 'true')).rejects.toMatchObject({ code: 'secret-missing' })
})

it('names every missing secret before anything happens, and no value', async () => {
  const before = await must('docker', ['ps', '-aq'])
  await writeFile(
    join(tests.home.dir, 'bottles', 'needy.md'),
    `---\nextends: box\nsecrets: [CANARY, OTHER_ONE]\n---\n`,
  )
  const failing = tests.icebox.bottles.start(
    {
      agent: 'shell',
      mode: 'headless',
      prompt: 'true',
      label: 'needy',
      bottles: ['needy'],
      cwd: tests.home.dir,
      secrets: { CANARY: SECRET },
    },
    tests.context(),
  )
  await expect(failing).rejects.toMatchObject({
    code: 'secret-missing',
    message: expect.stringContaining('OTHER_ONE'),
  })
  await failing.catch((thrown: Error) => expect(thrown.message).not.toContain(SECRET))
  expect(await readdir(join(tests.home.dir, 'state'))).not.toContain('needy')
  expect((await must('docker', ['ps', '-aq'])).split('\n').length).toBeLessThanOrEqual(
    before.split('\n').length + 3,
  )
})
