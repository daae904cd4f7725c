import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listTree, type TreeItem } from '../../../src-main/backends/host/portable/list-tree.ts'
import type { Snapshot, SnapshotDiff } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

const never = new AbortController().signal
let tests: TestBottles
beforeAll(async () => {
  tests = await makeTestBottles(
    `backend: docker\nimage: ${await ensureBusyboxImage()}\nworkdir: /work\nhealth: {command: [sh, -c, "test -e /work/healthy"]}`,
  )
})
afterAll(() => tests.dispose())

const freeze = async (slug: string): Promise<Snapshot> =>
  (await tests.icebox.bottles.freeze({ slug }, tests.context())).snapshot
const diff = (slug: string, from: string | null, to: string | null): Promise<SnapshotDiff> =>
  tests.icebox.artifacts.diff({ slug, snapshot: from }, { slug, snapshot: to }, tests.context())
const shown = ({ entries }: SnapshotDiff) => entries.map(({ kind, path }) => `${kind} ${path}`)

/** Two snapshots, the second after a run that began from the first. */
async function twoSnapshots(before: string, after: string): Promise<[string, Snapshot, Snapshot]> {
  const { slug } = await tests.run(before, 'docker')
  const first = await freeze(slug)
  expect(await tests.resume(slug, after)).toBe(0)
  return [slug, first, await freeze(slug)]
}

describe('two snapshots', () => {
  test('differ by exactly what happened between them', async () => {
    const [slug, first, second] = await twoSnapshots(
      `mkdir -p /data/keep /data/gone/deep /data/swap /data/again
       echo 1 > /data/keep/a; echo 22 > /data/gone/deep/b; echo 3 > /data/swap/c; echo 4 > /data/again/d
       echo same > /data/same; echo mode > /data/mode; ln -s keep /data/link; echo f > /data/file
       echo 0 > /data/bin; touch /data/empty; chmod 600 /data/empty`,
      `echo 11 > /data/keep/a; rm -r /data/gone; rm -r /data/swap; echo swapped > /data/swap
       cp -p /data/again/d /tmp/d; rm -r /data/again; mkdir /data/again; cp -p /tmp/d /data/again/d; rm /tmp/d
       cp /data/same /tmp/s; cat /tmp/s > /data/same; rm /tmp/s; chmod 700 /data/mode
       rm /data/link; ln -s gone /data/link; rm /data/file; mkdir /data/file; echo new > /data/file/x
       echo 7 > "$(printf '/data/caf\\351')"; rm /data/empty`,
    )
    const found = await diff(slug, first.id, second.id)
    expect(shown(found).filter((line) => line.includes('/data/'))).toEqual([
      'added /data/caf\\xe9',
      'removed /data/empty',
      'changed /data/file',
      'added /data/file/x',
      'removed /data/gone',
      'removed /data/gone/deep',
      'removed /data/gone/deep/b',
      'changed /data/keep/a',
      'changed /data/link',
      'metadata /data/mode',
      'changed /data/swap',
      'removed /data/swap/c',
    ])
    expect(found.entries.find(({ path }) => path === '/data/keep/a')).toMatchObject({
      bytesBefore: 2,
      bytesAfter: 3,
    })
    expect(found.entries.find(({ path }) => path === '/data/gone/deep/b')).toMatchObject({
      bytesBefore: 3,
      bytesAfter: null,
    })
    expect(found.folders.find(({ path }) => path === '/data/gone')).toEqual({
      path: '/data/gone',
      added: 0,
      changed: 0,
      removed: 2,
      bytes: -3,
    })
    expect(found.config).toEqual([])
    const back = await diff(slug, second.id, first.id)
    expect(back.totals).toMatchObject({
      added: found.totals.removed,
      removed: found.totals.added,
      bytes: -found.totals.bytes,
    })
    expect((await diff(slug, second.id, second.id)).entries).toEqual([])
  })

  test.each([1, 3, 5])('are told as their exported trees differ, whatever script %s did', async (seed) => {
    const [slug, first, second] = await twoSnapshots(chaos(seed), chaos(seed + 1))
    const [before, after] = await Promise.all([exported(first), exported(second)])
    try {
      const found = await diff(slug, first.id, second.id)
      expect(found.truncated).toBe(0)
      expect(shown(found).filter((line) => line.includes('/chaos'))).toEqual(await truth(before, after))
      expect(found.entries.length).toBeGreaterThan(20)
    } finally {
      for (const dir of [before, after]) await rm(dir, { recursive: true, force: true })
    }
  })

  test('hard links: changing one name changes all of them', async () => {
    const [slug, first, second] = await twoSnapshots(
      'mkdir /l; echo one > /l/a; ln /l/a /l/b; ln /l/a /l/c; echo x > /l/other',
      // Written through a new link, so that all three are names of the new content.
      'echo two > /l/n; mv /l/n /l/a; rm /l/b; ln /l/a /l/b',
    )
    expect(shown(await diff(slug, first.id, second.id)).filter((line) => line.includes('/l/'))).toEqual([
      'changed /l/a',
      'changed /l/b',
    ])
  })

  test('packages, and the text of a file', async () => {
    const apk = (version: string) =>
      `mkdir -p /lib/apk/db; printf 'P:musl\\nV:${version}\\n\\nP:zlib\\nV:1\\n\\n' > /lib/apk/db/installed`
    const [slug, first, second] = await twoSnapshots(
      `${apk('1.2.3')}; mkdir -p /site/old-1.dist-info; printf 'Name: old\\nVersion: 1\\n' > /site/old-1.dist-info/METADATA; printf 'a\\nb\\n' > /text`,
      `${apk('1.2.4')}; rm -r /site/old-1.dist-info; printf 'a\\nc\\n' > /text; head -c 2000 /dev/zero > /zeros`,
    )
    const packages = [
      { manager: 'apk', name: 'musl', before: '1.2.3', after: '1.2.4' },
      { manager: 'pip', name: 'old', before: '1', after: null },
    ]
    expect((await diff(slug, first.id, second.id)).packages).toEqual(packages)
    // Once more from what was kept.
    expect((await diff(slug, first.id, second.id)).packages).toEqual(packages)
    const file = (path: string) =>
      tests.icebox.artifacts.diffFile(
        { slug, snapshot: first.id },
        { slug, snapshot: second.id },
        path,
        tests.context(),
      )
    expect((await file('/text')).text).toContain('@@ -1,2 +1,2 @@\n a\n-b\n+c\n')
    expect(await file('/zeros')).toMatchObject({ text: null, reason: 'The file is binary.' })
    expect(await file('/site')).toMatchObject({ text: null, reason: 'It is a folder.' })
    expect(await file('/nothing')).toMatchObject({ text: null, reason: 'Neither side has a file there.' })
    // What passed through is not kept.
    expect(await readdir(join(tests.home.dir, 'artifacts/.stage'))).toEqual([])
  })

  test('of two backends are refused', async () => {
    const { slug } = await tests.run('true', 'docker')
    const snapshot = await freeze(slug)
    await tests.home.writeAgent(
      'hosted',
      'bottle: hosted\nprovider: custom\ncommand:\n  headless: [sh, -c, "{prompt}"]',
    )
    await tests.home.writeBottle('hosted', 'backend: host')
    const other = await tests.icebox.bottles.start(
      { agent: 'hosted', mode: 'headless', prompt: 'true', cwd: tests.home.dir },
      tests.context(),
    )
    await expect(
      tests.icebox.artifacts.diff(
        { slug, snapshot: snapshot.id },
        { slug: other.slug, snapshot: null },
        tests.context(),
      ),
    ).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(/docker.*host/) })
  })
})

describe('a bottle as it is now', () => {
  test('against the snapshot that its run began with', async () => {
    const { slug } = await tests.run('mkdir /d; echo 1 > /d/a; echo 2 > /d/b; ln -s a /d/l', 'docker')
    const first = await freeze(slug)
    expect(await tests.resume(slug, 'echo 111 > /d/a; rm /d/b; mkdir /d/new; echo 3 > /d/new/c')).toBe(0)
    const found = await diff(slug, first.id, null)
    expect(shown(found).filter((line) => line.includes('/d/'))).toEqual([
      'changed /d/a',
      'removed /d/b',
      'added /d/new',
      'added /d/new/c',
    ])
    expect(found.entries.find(({ path }) => path === '/d/a')).toMatchObject({ bytesBefore: 2, bytesAfter: 4 })
    const file = await tests.icebox.artifacts.diffFile(
      { slug, snapshot: first.id },
      { slug, snapshot: null },
      '/d/a',
      tests.context(),
    )
    expect(file).toMatchObject({ text: null, reason: expect.stringContaining('freeze') })
  })

  test('against the snapshot that was taken of it while it went on', async () => {
    const { slug, ended } = await tests.launch(
      `mkdir -p /d/e; echo 1 > /d/a; echo 2 > /d/b; echo 3 > /d/e/c; touch -d 2001-01-01 /d/a /d/b /d/e/c; echo up
       while [ ! -e /go ]; do sleep 0.1; done; echo 22 > /d/b; rm -r /d/e; echo 4 > /d/new; echo down
       while [ ! -e /end ]; do sleep 0.1; done`,
      'docker',
    )
    await expect.poll(() => tests.output(slug)).toContain('up')
    const frozen = await freeze(slug)
    await must('docker', ['exec', `bot-bottle-${slug}`, 'touch', '/go'])
    await expect.poll(() => tests.output(slug)).toContain('down')
    const found = await diff(slug, frozen.id, null)
    // What the start wrote a moment before the freeze can't be told from what was written just after it.
    expect(shown(found).filter((line) => !line.includes('/root/'))).toEqual([
      'changed /d/b',
      'removed /d/e',
      'removed /d/e/c',
      'added /d/new',
      'added /go',
    ])
    await must('docker', ['exec', `bot-bottle-${slug}`, 'touch', '/end'])
    await ended
  })

  test('without a container it is its current snapshot', async () => {
    const { slug } = await tests.run('echo 1 > /a', 'docker')
    const first = await freeze(slug)
    await must('docker', ['rm', '-f', `bot-bottle-${slug}`])
    const found = await diff(slug, first.id, null)
    expect(found).toMatchObject({ to: `${slug}@${first.id}`, entries: [] })
    expect(found.notices).toContainEqual(expect.stringContaining('does not run'))
  })
})

describe('one snapshot', () => {
  test('is verified while the bottle runs on', async () => {
    const { slug, ended } = await tests.launch(
      'touch /work/healthy; echo up; while [ ! -e /go ]; do sleep 0.1; done',
      'docker',
    )
    await expect.poll(() => tests.output(slug)).toContain('up')
    // Other test files use the same engine, so only what was made of this bottle's image counts.
    const ofSnapshot = ['ps', '-aq', '--filter', `ancestor=${(await freeze(slug)).reference}`]
    const { verified } = await tests.icebox.artifacts.verify({ slug }, tests.context())
    expect(verified).toMatchObject({
      outcome: 'passed',
      detail: 'It booted and its health check ended with 0.',
    })
    expect(await must('docker', ofSnapshot)).toBe('')
    await must('docker', ['exec', `bot-bottle-${slug}`, 'touch', '/go'])
    await ended
  })

  test('that is gone from the engine has failed its proof', async () => {
    const { slug } = await tests.run('touch /work/healthy', 'docker')
    const snapshot = await freeze(slug)
    await must('docker', ['rmi', '-f', snapshot.reference])
    const { verified } = await tests.icebox.artifacts.verify({ slug }, tests.context())
    expect(verified).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('did not boot') })
  })

  test('is deleted, and its image goes with the trash, its child lives on', async () => {
    const [slug, first, second] = await twoSnapshots('echo first > /one', 'cat /one; echo second > /two')
    await tests.icebox.artifacts.deleteSnapshot({ slug, snapshot: first.id }, tests.context())
    expect((await tests.icebox.bottles.snapshots(slug)).map(({ parent }) => parent)).toEqual([null])
    await must('docker', ['image', 'inspect', first.reference])
    // A cleanup neither rebuilds its record nor takes its image.
    await tests.icebox.bottles.cleanup(tests.context())
    expect(await tests.icebox.bottles.snapshots(slug)).toHaveLength(1)
    await must('docker', ['image', 'inspect', first.reference])
    await tests.icebox.bottles.emptyTrash(tests.context())
    await expect(must('docker', ['image', 'inspect', first.reference])).rejects.toThrow()
    expect(await tests.resume(`${slug}@${second.id}`, 'cat /one /two')).toBe(0)
    expect(await tests.output(slug)).toBe('first\nsecond\n')
  })

  test('weighs what deleting it frees', async () => {
    const [slug, first, second] = await twoSnapshots(
      'head -c 3000000 /dev/urandom > /big',
      'head -c 1000000 /dev/urandom > /more',
    )
    await must('docker', ['rm', '-f', `bot-bottle-${slug}`])
    const usage = await tests.icebox.artifacts.usage(never)
    const sizeOf = (id: string) => usage.snapshots.find((size) => size.slug === slug && size.id === id)
    // The first is the lower part of the second.
    expect(sizeOf(first.id)?.uniqueBytes).toBe(0)
    expect(sizeOf(second.id)?.uniqueBytes).toBeGreaterThanOrEqual(1_000_000)
    expect(sizeOf(second.id)?.uniqueBytes).toBeLessThan(1_500_000)
    expect(sizeOf(second.id)?.bytes).toBeGreaterThan(4_000_000)
    expect(usage.notices).toEqual([])
  })
})

/** Makes, changes and removes many things below /chaos, the same each time for one seed. */
function chaos(seed: number): string {
  const lines: string[] = ['mkdir -p /chaos; cd /chaos']
  let state = seed * 7919
  const next = (below: number) => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor((state / 2147483648) * below)
  }
  const name = () => `n${next(6)}`
  const path = () => Array.from({ length: 1 + next(3) }, name).join('/')
  for (let n = 0; n < 250; n++) {
    const at = path()
    const folder = `mkdir -p "$(dirname ${at})" 2>/dev/null`
    lines.push(
      [
        `${folder} && echo ${seed}-${n} > ${at}`,
        `${folder} && echo fixed > ${at}`,
        `mkdir -p ${at}`,
        `rm -rf ${at}`,
        `${folder} && rm -rf ${at} && ln -s ${name()} ${at}`,
        `[ -e ${at} ] && [ ! -L ${at} ] && chmod ${['700', '750', '777'][next(3)]} ${at}`,
        `mv ${at} ${path()}`,
        `rm -rf ${at}; mkdir -p ${at}; echo again > ${at}/again`,
        `touch -d 2001-01-01 ${at}`,
      ][next(9)] ?? '',
    )
  }
  return [...lines.map((line) => `{ ${line}; } 2>/dev/null`), 'true'].join('\n')
}

async function exported(snapshot: Snapshot): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'exported-'))
  const id = (await must('docker', ['create', snapshot.reference, 'x'])).trim()
  try {
    const tar = join(dir, '..', `${id}.tar`)
    await must('docker', ['export', '-o', tar, id])
    // Named as the listing of host trees wants it.
    await must('sh', [
      '-c',
      'mkdir "$1/workspace" "$1/home" && tar -xpf "$2" -C "$1/workspace" chaos && rm "$2"',
      'sh',
      dir,
      tar,
    ])
  } finally {
    await must('docker', ['rm', '-f', id])
  }
  return dir
}

/** The differences of two unpacked trees, found without any of Icebox's rules of layers. */
async function truth(before: string, after: string): Promise<string[]> {
  const [a, b] = await Promise.all([before, after].map((dir) => contents(dir)))
  const paths = [...new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])].sort()
  return paths.flatMap((path) => {
    const [was, is] = [a?.get(path), b?.get(path)]
    const shownAs = path.replace('workspace', '')
    if (!was || !is) return [`${was ? 'removed' : 'added'} ${shownAs}`]
    if (was.content !== is.content) return [`changed ${shownAs}`]
    return was.mode === is.mode || was.kind === 'l' ? [] : [`metadata ${shownAs}`]
  })
}

async function contents(dir: string): Promise<Map<string, { kind: string; mode: number; content: string }>> {
  const items = (await listTree(dir, never)).filter(({ path }) => path.startsWith('workspace/chaos'))
  const { readFile } = await import('node:fs/promises')
  const contentOf = async (item: TreeItem) =>
    item.kind === 'f' ? `f${await readFile(join(dir, item.path), 'utf8')}` : `${item.kind}${item.target}`
  return new Map(
    await Promise.all(
      items.map(
        async (item) =>
          [item.path, { kind: item.kind, mode: item.mode, content: await contentOf(item) }] as const,
      ),
    ),
  )
}
