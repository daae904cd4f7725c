import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeBusyboxImage, must } from '../../support/busybox-image.ts'
import { ociArchive } from '../../support/hostile/layout.ts'
import { rawTar } from '../../support/hostile/raw-tar.ts'
import { makeTestBottles, SHELL_AGENT, type TestBottles } from '../../support/test-bottles.ts'

// What other tools write is imported, runs and shows its files.

const mark = randomBytes(4).toString('hex')
const base = `icebox-import-${mark}:base`
const tag = `icebox-import-${mark}:1`
const TRAVELLER = SHELL_AGENT
let tests: TestBottles
let dir: string

beforeAll(async () => {
  tests = await makeTestBottles(`backend: docker\nimage: ${base}`)
  dir = tests.home.dir
  await makeBusyboxImage(base)
  const container = (
    await must('docker', [
      'create',
      base,
      'sh',
      '-c',
      `mkdir /kept && echo ${mark} > /kept/marker && rm /etc/passwd`,
    ])
  ).trim()
  try {
    await must('docker', ['start', '-a', container])
    const command = 'CMD ["sh","-c","cat /kept/marker; ls /etc; sleep 60"]'
    await must('docker', ['commit', '--change', command, container, tag])
  } finally {
    await must('docker', ['rm', '-f', container])
  }
  await must('docker', ['save', '-o', join(dir, 'docker-save.tar'), tag])
})
afterAll(async () => {
  await tests.dispose()
  await must('docker', ['rmi', '-f', tag, base])
})

/** The daemon that the docker command talks to, as skopeo wants it told. */
const daemon = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'
const skopeo = (...args: string[]) =>
  must('skopeo', [
    '--insecure-policy',
    'copy',
    '-q',
    '--src-daemon-host',
    daemon,
    `docker-daemon:${tag}`,
    ...args,
  ])
const podmanStore = () => [
  '--root',
  join(dir, 'podman'),
  '--runroot',
  join(dir, 'podman-run'),
  '--storage-driver',
  'vfs',
]

const FORMS: readonly (readonly [string, (file: string) => Promise<unknown>])[] = [
  ['docker save', (file) => must('docker', ['save', '-o', file, tag])],
  ['skopeo oci-archive', (file) => skopeo(`oci-archive:${file}`)],
  [
    'skopeo oci-archive in zstd',
    (file) => skopeo('--dest-compress-format', 'zstd', '--dest-compress', `oci-archive:${file}`),
  ],
  ['skopeo docker-archive', (file) => skopeo(`docker-archive:${file}:${tag}`)],
  [
    'podman save docker-archive',
    async (file) => {
      await must('podman', [...podmanStore(), 'load', '-q', '-i', join(dir, 'docker-save.tar')])
      await must('podman', [...podmanStore(), 'save', '-q', '-o', file, tag])
    },
  ],
  [
    'podman save oci-archive',
    async (file) => {
      await must('podman', [...podmanStore(), 'load', '-q', '-i', join(dir, 'docker-save.tar')])
      await must('podman', [...podmanStore(), 'save', '-q', '--format', 'oci-archive', '-o', file, tag])
    },
  ],
]

describe.each(FORMS)('an image from %s', (name, write) => {
  const label = name.replaceAll(' ', '-')
  const file = () => join(dir, `${label}.tar`)

  it('becomes a frozen bottle that holds its files', async () => {
    await write(file())
    const { slug } = await tests.icebox.artifacts.import({ file: file() }, { label }, tests.context())
    expect(slug).toBe(label)
    const [row] = await tests.icebox.bottles
      .list(new AbortController().signal)
      .then((rows) => rows.filter((each) => each.slug === slug))
    expect(row).toMatchObject({ state: 'frozen', agent: '', snapshots: 1 })
    const [fork] = await tests.icebox.bottles.fork(
      {
        slug,
        count: 1,
        mode: 'headless',
        agent: 'shell',
        prompt: 'cat /kept/marker; test ! -e /etc/passwd && echo gone',
        cwd: dir,
      },
      tests.context(),
    )
    expect(await tests.output(fork?.slug ?? '')).toBe(`${mark}\ngone\n`)
  })

  it('resumes with its own command', async () => {
    const { slug } = await tests.icebox.bottles.resume({ slug: label, mode: 'interactive' }, tests.context())
    await expect.poll(() => tests.output(slug), { timeout: 20_000 }).toContain(mark)
    await tests.icebox.bottles.stop(slug, { graceSeconds: 0 }, tests.context())
  })
})

it('a bottle without an agent says what is missing for a prompt', async () => {
  await tests.icebox.artifacts.import(
    { file: join(dir, 'docker-save.tar') },
    { label: 'bare' },
    tests.context(),
  )
  const resumed = tests.icebox.bottles.resume(
    { slug: 'bare', mode: 'headless', prompt: 'work' },
    tests.context(),
  )
  await expect(resumed).rejects.toMatchObject({ code: 'usage', message: /no agent.*--agent/s })
})

it('a bottle with volumes and definitions goes by file to a machine that has none of them', async () => {
  const file = join(dir, 'trip.bottle')
  const label = `trip-${mark}`
  const source = await makeTestBottles(`backend: docker\nimage: ${base}\nmounts:\n  - notes:/notes`)
  try {
    await source.home.writeAgent('traveller', TRAVELLER)
    const run = { agent: 'traveller', mode: 'headless', label, cwd: source.home.dir } as const
    await source.icebox.bottles.start(
      { ...run, prompt: `echo ${mark} > /notes/volume; echo ${mark} > /root/layer` },
      source.context(),
    )
    await source.icebox.bottles.freeze({ slug: label }, source.context())
    const request = { slug: label, compression: 'gzip', thin: false } as const
    await source.icebox.artifacts.export(request, { file }, source.context())
  } finally {
    await source.dispose()
  }
  const { slug, notices } = await tests.icebox.artifacts.import({ file }, {}, tests.context())
  expect(slug).toBe(label)
  expect(notices.join(' ')).toContain('traveller')
  expect(await tests.resume(slug, 'cat /notes/volume /root/layer')).toBe(0)
  expect(await tests.output(slug)).toBe(`${mark}\n${mark}\n`)
  const [fork] = await tests.icebox.bottles.fork(
    { slug, count: 1, mode: 'headless', prompt: 'cat /root/layer', cwd: dir },
    tests.context(),
  )
  // The fork brings the definitions along too.
  expect(await tests.resume(fork?.slug ?? '', 'cat /notes/volume')).toBe(0)
})

/** The snapshots that the engine has of a bottle, whoever owns them. */
async function imagesOf(slug: string): Promise<readonly string[]> {
  const tags = await must('docker', ['images', '--format', '{{.Tag}}', `bot-bottle-committed-${slug}`])
  return tags.split('\n').filter(Boolean).sort()
}

it('a bottle that lives on the same engine is imported beside itself, and goes without touching it', async () => {
  const file = join(dir, 'twin.bottle')
  const label = `twin-${mark}`
  const source = await makeTestBottles(`backend: docker\nimage: ${base}`)
  try {
    await source.home.writeAgent('traveller', TRAVELLER)
    const run = { agent: 'traveller', mode: 'headless', label, cwd: source.home.dir } as const
    await source.icebox.bottles.start({ ...run, prompt: `echo ${mark} > /root/kept` }, source.context())
    const { snapshot } = await source.icebox.bottles.freeze({ slug: label }, source.context())
    const request = { slug: label, compression: 'gzip', thin: false } as const
    await source.icebox.artifacts.export(request, { file }, source.context())
    // Without its container nothing but the image's tag tells of the other root.
    await must('docker', ['rm', '-f', `bot-bottle-${label}`])

    const imported = await tests.icebox.artifacts.import({ file }, {}, tests.context())
    expect(imported.slug).toBe(label)
    expect(imported.snapshot).not.toBe(snapshot.id)
    expect(await imagesOf(label)).toEqual([snapshot.id, imported.snapshot].sort())
    expect(await tests.resume(label, 'cat /root/kept')).toBe(0)
    expect(await tests.output(label)).toBe(`${mark}\n`)
    await tests.icebox.bottles.destroy({ slug: label, purge: true }, tests.context())
    expect(await imagesOf(label)).toEqual([snapshot.id])
    expect(await source.resume(label, 'cat /root/kept')).toBe(0)
  } finally {
    await source.dispose()
  }
})

it('a load that is cancelled leaves neither bottle nor image nor blob', async () => {
  const file = join(dir, 'large.tar')
  const content = rawTar([{ name: 'large', body: randomBytes(6 << 20) }])
  await writeFile(file, ociArchive({ layers: [{ content }] }))
  const stop = new AbortController()
  const phases: string[] = []
  const progress = ({ phase }: { phase: string }) => {
    phases.push(phase)
    if (phase === 'loading') stop.abort()
  }
  const label = `cancelled-${mark}`
  const context = { ...tests.context({ signal: stop.signal }), progress }
  const imported = tests.icebox.artifacts.import({ file }, { label }, context)
  await expect(imported).rejects.toMatchObject({ code: 'cancelled' })
  expect(phases).toContain('loading')
  expect(await must('docker', ['images', '-q', `bot-bottle-committed-${label}`])).toBe('')
  await expect(stat(join(dir, 'state', label))).rejects.toThrow('ENOENT')
  expect(await readdir(join(dir, 'artifacts', '.stage'))).toEqual([])
})

it('keeps what it was told in the metadata', async () => {
  const metadata = JSON.parse(await readFile(join(dir, 'state', 'docker-save', 'metadata.json'), 'utf8'))
  expect(metadata).toMatchObject({ agent_name: '', backend: 'docker' })
})
