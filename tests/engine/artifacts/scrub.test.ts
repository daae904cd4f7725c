import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeBusyboxImage, must } from '../../support/busybox-image.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

// A bottle full of secrets is exported on a real engine: stripped, none of them is in the file's bytes, and it runs.

const mark = randomBytes(4).toString('hex')
const image = `icebox-scrub-${mark}:base`
const VALUE = `canary-value-${mark}`
const TOKEN = `ghp_${randomBytes(18).toString('hex')}`
const DELETED = `npm_${randomBytes(18).toString('hex')}`
const FIRST = `echo ${DELETED} > /workspace/gone; echo kept-${mark} > /workspace/kept`
const SECOND = [
  'rm /workspace/gone',
  `printf 'machine a login b password ${VALUE}' > /root/.netrc`,
  `echo 'token: ${TOKEN}' > /workspace/notes`,
  `echo ${VALUE} > /data/in-volume`,
].join('; ')

let tests: TestBottles
let slug: string

beforeAll(async () => {
  await makeBusyboxImage(image, { changes: ['VOLUME /data', `ENV SOME_TOKEN=${TOKEN}`] })
  tests = await makeTestBottles(`backend: docker\nimage: ${image}`)
  slug = (await tests.run(FIRST)).slug
  await tests.icebox.bottles.freeze({ slug }, tests.context())
  expect(await tests.resume(slug, SECOND)).toBe(0)
  await tests.icebox.bottles.freeze({ slug }, tests.context())
})
afterAll(async () => {
  await tests.dispose()
  await must('docker', ['rmi', '-f', image])
})

async function exportTo(name: string, scrub?: 'strip' | 'keep') {
  const file = join(tests.home.dir, name)
  const request = { slug, compression: 'gzip', thin: false, scrub } as const
  return { file, result: await tests.icebox.artifacts.export(request, { file }, tests.context()) }
}

/** Every blob of an archive, decompressed, and the archive itself. */
async function allBytes(file: string): Promise<Buffer> {
  const dir = `${file}.d`
  await mkdir(dir)
  await must('tar', ['-xf', file, '-C', dir])
  const blobs = join(dir, 'blobs', 'sha256')
  const parts = await Promise.all((await readdir(blobs)).map((name) => readFile(join(blobs, name))))
  const plain = parts.map((bytes) => (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes))
  return Buffer.concat([await readFile(file), ...plain])
}

test('without a choice nothing is written, and the places are named', async () => {
  const failed = exportTo('none.bottle')
  await expect(failed).rejects.toMatchObject({ code: 'secrets-found' })
  await expect(failed).rejects.not.toMatchObject({ message: expect.stringContaining(VALUE) })
  expect(await readdir(tests.home.dir)).not.toContain('none.bottle')
})

test('kept, they are there: the search below can find them', async () => {
  const { file, result } = await exportTo('keep.bottle', 'keep')
  const bytes = await allBytes(file)
  for (const secret of [VALUE, TOKEN, DELETED]) expect(bytes.includes(secret), secret).toBe(true)
  const told = result.scrub?.findings.map(({ where, name, action }) => `${where} ${name} ${action}`) ?? []
  for (const finding of [
    'env SOME_TOKEN kept',
    'file /root/.netrc kept',
    'file /workspace/gone kept',
    'file /workspace/notes kept',
  ]) {
    expect(told).toContain(finding)
  }
})

test('stripped, they are nowhere, and the image loads and runs', async () => {
  // The value is declared: nothing but its name and place would give it away in the volume.
  const env = { ...process.env, ICEBOX_HOME: tests.home.dir, CANARY: VALUE }
  const { createIcebox } = await import('../../../src-main/icebox.ts')
  const { readMetadata, writeMetadata } = await import('../../../src-main/state/metadata.ts')
  const icebox = await createIcebox({ home: tests.home.dir, env })
  const read = await readMetadata(icebox.root, slug)
  if (read.kind !== 'ok' || !read.metadata.icebox) throw new Error('no metadata')
  const facts = { ...read.metadata.icebox, secretNames: ['CANARY'] }
  await writeMetadata(icebox.root, slug, { ...read.metadata, icebox: facts })
  const file = join(tests.home.dir, 'strip.bottle')
  const request = { slug, compression: 'gzip', thin: false, scrub: 'strip' } as const
  const result = await icebox.artifacts.export(request, { file }, tests.context())
  await icebox.close()
  const bytes = await allBytes(file)
  for (const secret of [VALUE, TOKEN, DELETED]) expect(bytes.includes(secret), secret).toBe(false)
  expect(result.scrub?.findings.map(({ where, name }) => `${where} ${name}`)).toContain(
    'volume /data/in-volume',
  )
  const other = await makeTestBottles(`backend: docker\nimage: ${image}`)
  try {
    const imported = await other.icebox.artifacts.import({ file }, {}, other.context())
    const [snapshot] = await other.icebox.bottles.snapshots(imported.slug)
    const script = 'cat /workspace/kept; cat /workspace/notes; ls -A /root; echo "[$SOME_TOKEN]"'
    const args = [
      'run',
      '--rm',
      '--network=none',
      '--entrypoint',
      'sh',
      snapshot?.reference ?? '',
      '-c',
      script,
    ]
    const output = await must('docker', args)
    expect(output).toContain(`kept-${mark}\ntoken: ${'x'.repeat(TOKEN.length)}\n`)
    expect(output).toContain('[]')
    expect(output).not.toContain('.netrc')
  } finally {
    await other.dispose()
  }
})
