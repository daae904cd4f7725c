import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { must } from '../support/busybox-image.ts'
import { ensureBusyboxImage } from '../support/images.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

// What bot-bottle's CLI reads and deletes, from its behaviour alone: bot-bottle.md §4, §6 and §12.

let tests: TestBottles
const never = new AbortController().signal

beforeAll(async () => {
  tests = await makeTestBottles(`backend: docker\nimage: ${await ensureBusyboxImage()}\nworkdir: /work`)
})
afterAll(() => tests.dispose())

/** Names at the top of a state folder that bot-bottle gives a meaning to. */
const READ_BY_BOT_BOTTLE = [
  'metadata.json',
  'committed-image',
  '.preserve',
  'Dockerfile',
  'transcript',
  'docker-compose.yml',
  'compose.log',
  'live-config',
  'committed-smolmachine',
  'committed-smolmachine.smolmachine',
  'egress',
]

it('leaves after a freeze what a resume by bot-bottle expects, and nothing else that it reads', async () => {
  const { slug } = await tests.run('echo kept > marker', 'interop')
  const { snapshot } = await tests.icebox.bottles.freeze({ slug }, tests.context())
  const folder = join(tests.home.dir, 'state', slug)

  const metadata = JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8')) as Record<
    string,
    unknown
  >
  expect(metadata).toMatchObject({
    identity: slug,
    agent_name: 'shell',
    cwd: '',
    copy_cwd: false,
    compose_project: `bot-bottle-${slug}`,
    backend: 'docker',
    label: 'interop',
    color: '',
    bottle_names: ['box'],
  })
  expect(String(metadata.started_at)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/)

  const line = await readFile(join(folder, 'committed-image'), 'utf8')
  expect(line).toBe(`${snapshot.reference}\n`)
  const id = (await must('docker', ['image', 'inspect', '--format', '{{.Id}}', line.trim()])).trim()
  expect(id).toBe(snapshot.digest)

  expect((await stat(join(folder, '.preserve'))).size).toBe(0)
  const read = (await readdir(folder)).filter((name) => READ_BY_BOT_BOTTLE.includes(name))
  expect(read.sort()).toEqual(['.preserve', 'committed-image', 'metadata.json'])
})

it('gives the cleanup of bot-bottle nothing to delete', async () => {
  const { slug } = await tests.run('true', 'tidy')
  await tests.icebox.bottles.freeze({ slug }, tests.context())
  await must('docker', ['rm', '-f', `bot-bottle-${slug}`])

  // Its rules: compose projects with its prefix, unlabelled containers and networks with it, and state
  // folders that are neither live nor marked.
  const projects = await must('docker', [
    'ps',
    '-aq',
    '--filter',
    `label=com.docker.compose.project=bot-bottle-${slug}`,
  ])
  expect(projects.trim()).toBe('')
  const stray = await must('docker', [
    'ps',
    '-a',
    '--filter',
    `name=bot-bottle-${slug}`,
    '--format',
    '{{.Names}}',
  ])
  expect(stray.trim()).toBe('')
  const networks = await must('docker', [
    'network',
    'ls',
    '--filter',
    `name=bot-bottle-${slug}`,
    '--format',
    '{{.Name}}',
  ])
  expect(networks.trim()).toBe('')
  const marked = await stat(join(tests.home.dir, 'state', slug, '.preserve'))
  expect(marked.isFile()).toBe(true)
})

it('resumes what bot-bottle froze, from its state folder and its latest tag, and keeps its keys', async () => {
  const { slug } = await tests.run('echo by-hand > marker', 'elder')
  const folder = join(tests.home.dir, 'state', slug)
  const tag = `bot-bottle-committed-${slug}:latest`
  // The container as bot-bottle leaves it: committed under its one tag, then gone.
  await must('docker', ['commit', `bot-bottle-${slug}`, tag])
  await tests.icebox.bottles.destroy({ slug }, tests.context())
  await tests.icebox.bottles.undo(slug, tests.context())
  await writeFile(join(folder, 'committed-image'), `${tag}\n`)
  const legacy = {
    identity: slug,
    agent_name: 'shell',
    started_at: '2026-06-01T10:00:00+00:00',
    backend: '',
    bottle_names: ['box'],
    from_the_future: { kept: true },
  }
  await writeFile(join(folder, 'metadata.json'), JSON.stringify(legacy))

  const row = (await tests.icebox.bottles.list(never)).find((bottle) => bottle.slug === slug)
  expect(row).toMatchObject({ backend: 'docker', badges: expect.arrayContaining(['legacy']) })
  expect(await tests.resume(slug, 'cat marker')).toBe(0)
  expect(await tests.output(slug)).toBe('by-hand\n')
  const after = JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8')) as Record<string, unknown>
  expect(after).toMatchObject({ from_the_future: { kept: true }, agent_name: 'shell' })
  await must('docker', ['image', 'inspect', tag])
  await must('docker', ['rmi', '-f', tag])
})

it('adopts a foreign container by its id, freezes it, and never renames or touches it', async () => {
  const image = await ensureBusyboxImage()
  const name = `foreign-${process.pid}`
  const id = (
    await must('docker', [
      'run',
      '-d',
      '--init',
      '--name',
      name,
      image,
      'sh',
      '-c',
      'echo theirs > /theirs; sleep 1000',
    ])
  ).trim()
  try {
    const { slug } = await tests.icebox.bottles.adopt(name, {}, tests.context())
    const row = (await tests.icebox.bottles.list(never)).find((bottle) => bottle.slug === slug)
    expect(row).toMatchObject({ state: 'running', badges: expect.arrayContaining(['adopted']) })
    await expect(tests.icebox.bottles.adopt(id, {}, tests.context())).rejects.toMatchObject({
      code: 'exists',
    })
    const { snapshot } = await tests.icebox.bottles.freeze({ slug }, tests.context())
    expect(snapshot.slug).toBe(slug)
    const seen = await must('docker', [
      'inspect',
      '--format',
      '{{.Name}} {{.State.Running}} {{.State.Paused}}',
      id,
    ])
    expect(seen.trim()).toBe(`/${name} true false`)
    const cat = await must('docker', ['run', '--rm', snapshot.reference, 'cat', '/theirs'])
    expect(cat).toBe('theirs\n')
  } finally {
    await must('docker', ['rm', '-f', id])
  }
})

it('calls a plain docker run of a committed image nobody’s bottle', async () => {
  const { slug } = await tests.run('true', 'plain-run')
  const { snapshot } = await tests.icebox.bottles.freeze({ slug }, tests.context())
  const name = `plain-${process.pid}`
  await must('docker', ['run', '-d', '--init', '--name', name, snapshot.reference, 'sleep', '1000'])
  try {
    const rows = await tests.icebox.bottles.list(never)
    expect(rows.find((bottle) => bottle.slug === slug)).toMatchObject({ state: 'frozen' })
    await tests.icebox.bottles.cleanup(tests.context())
    await tests.icebox.bottles.destroy({ slug, purge: true }, tests.context())
    const running = await must('docker', ['inspect', '--format', '{{.State.Running}}', name])
    expect(running.trim()).toBe('true')
  } finally {
    await must('docker', ['rm', '-f', name])
    // The purge could only take the tag away while this container used the image.
    await must('docker', ['rmi', '-f', snapshot.digest])
  }
})

it('keeps two state roots on one engine apart', async () => {
  const other = await makeTestBottles(`backend: docker\nimage: ${await ensureBusyboxImage()}\nworkdir: /work`)
  try {
    const mine = await tests.run('echo mine > marker', 'shared-name')
    const theirs = await other.run('echo theirs > marker', 'shared-name')
    // The engine has one name space, so the second root finds the container's name taken.
    expect(theirs.slug).not.toBe(mine.slug)
    const slugs = (await other.icebox.bottles.list(never)).map((bottle) => bottle.slug)
    expect(slugs).toEqual([theirs.slug])
    await other.icebox.bottles.cleanup(other.context())
    await expect(
      other.icebox.bottles.destroy({ slug: mine.slug, backend: 'docker' }, other.context()),
    ).resolves.toMatchObject({ left: [] })
    const state = await must('docker', [
      'inspect',
      '--format',
      '{{.State.Status}}',
      `bot-bottle-${mine.slug}`,
    ])
    expect(state.trim()).toBe('exited')
    expect(await tests.resume(mine.slug, 'cat marker')).toBe(0)
    expect(await tests.output(mine.slug)).toBe('mine\n')
  } finally {
    await other.dispose()
  }
})
