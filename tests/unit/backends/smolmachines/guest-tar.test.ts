import { spawnSync } from 'node:child_process'
import { chmod, chown, link, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { writeImage } from '../../../../src-main/backends/smolmachines/capture-image.ts'
import { guestTar } from '../../../../src-main/backends/smolmachines/guest-tar.ts'
import {
  GUEST_TAR_SCRIPT,
  parseTrailer,
  type TarTrailer,
  TRAILER_BYTES,
} from '../../../../src-main/backends/smolmachines/guest-tar-script.ts'
import { readImageFile, readLayer } from '../../../../src-main/backends/smolmachines/portable/image-file.ts'
import { workspaceOf } from '../../../../src-main/backends/smolmachines/portable/workspace-layers.ts'
import { readTar } from '../../../../src-main/workers/tar/read-tar.ts'
import { TAR_END, tarPadding, writeTarHeader } from '../../../../src-main/workers/tar/writer.ts'
import { tempFolder } from '../../../support/test-root.ts'

const never = new AbortController().signal
const APPLETS = ['tar', 'sha256sum', 'mkfifo', 'tee', 'grep', 'cp', 'mv', 'cat', 'wc', 'rm', 'mkdir', 'chmod']

let root: string
let bare: string
beforeEach(async () => {
  root = await tempFolder()
  for (const folder of ['home/x/mnt', 'proc', 'a b', 'workspace'])
    await mkdir(join(root, folder), { recursive: true })
  await writeFile(join(root, 'home/x/file'), 'content')
  await link(join(root, 'home/x/file'), join(root, 'home/x/hard'))
  await symlink('file', join(root, 'home/x/soft'))
  await writeFile(join(root, 'home/x/mnt/inside'), 'not ours')
  await writeFile(join(root, 'proc/inside'), 'not ours')
  await writeFile(join(root, '-dash'), 'odd')
  await writeFile(join(root, '.dot'), 'odd')
  await writeFile(join(root, 'workspace/work'), 'work')
  await chown(join(root, 'home/x'), 12, 34)
  await chmod(join(root, 'home/x'), 0o2750)
  bare = await tempFolder()
  for (const name of APPLETS) await symlink('/bin/busybox', join(bare, name))
})

function run(
  args: readonly string[],
  path = process.env.PATH ?? '',
): { code: number | null; out: Buffer; err: string } {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', GUEST_TAR_SCRIPT, 'icebox-tar', ...args], {
    env: { PATH: path },
    maxBuffer: 1 << 28,
  })
  return { code: status, out: stdout, err: stderr.toString() }
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function entries(tar: Uint8Array): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  await readTar(pieces(tar, 1000), ({ path, type, mode, uid, gid, link: to }) => {
    found[path] = `${type} ${mode.toString(8)} ${uid}:${gid}${to ? ` ${to}` : ''}`
    return 'skip'
  })
  return found
}

describe('the tar of a guest', () => {
  it.each(['all tools', 'bare busybox'])(
    'is whole with %s, without what is to be left out',
    async (tools) => {
      const { code, out, err } = run(
        [root, '.', '', '', '/proc', '/home/x/mnt'],
        tools === 'all tools' ? undefined : bare,
      )
      expect([code, err]).toEqual([0, ''])
      let trailer: TarTrailer | null = null
      const tar = await collect(
        guestTar(pieces(out, 777), (told) => {
          trailer = told
        }),
      )
      expect(trailer).toMatchObject({ changed: 0, keepsXattrs: tools === 'all tools' })
      const found = await entries(tar)
      expect(Object.keys(found).sort()).toEqual(
        [
          './',
          './-dash',
          './.dot',
          './a b/',
          './home/',
          './home/x/',
          './home/x/file',
          './home/x/hard',
          './home/x/mnt/',
          './home/x/soft',
          './proc/',
          './workspace/',
          './workspace/work',
        ].sort(),
      )
      expect(found['./home/x/']).toBe('folder 2750 12:34')
      expect(found['./home/x/soft']).toBe('symlink 777 0:0 file')
      expect([found['./home/x/hard'], found['./home/x/file']].join()).toContain('hardlink')
      expect((await readdir('/run')).filter((name) => name.startsWith('icebox-tar'))).toEqual([])
    },
  )

  it('is refused when a byte changed on its way, or the end is missing', async () => {
    const { out } = run([root, '.', '', '', '/proc'])
    const spoilt = Buffer.from(out)
    const at = spoilt.indexOf('content')
    spoilt[at] = 0x43
    const read = (bytes: Uint8Array) => collect(guestTar(pieces(bytes, 5000), () => undefined))
    await expect(read(spoilt)).rejects.toMatchObject({ code: 'engine-failed' })
    await expect(read(out.subarray(0, -100))).rejects.toMatchObject({ code: 'engine-failed' })
    await expect(read(out.subarray(0, 10))).rejects.toMatchObject({ code: 'engine-failed' })
    expect(parseTrailer(out.subarray(-TRAILER_BYTES))).not.toBeNull()
  })

  it('of an empty folder is an empty tar', async () => {
    const { out } = run([await tempFolder(), '.', '', ''])
    expect(Object.keys(await entries(await collect(guestTar(pieces(out, 100), () => undefined))))).toEqual([
      './',
    ])
  })

  it('says what tar could not read', async () => {
    const broken = await tempFolder()
    const tools = await tempFolder()
    for (const name of APPLETS.filter((each) => each !== 'tar'))
      await symlink('/bin/busybox', join(tools, name))
    await writeFile(join(tools, 'tar'), '#!/bin/sh\necho "tar: x: Permission denied" >&2; exit 2\n', {
      mode: 0o755,
    })
    await writeFile(join(broken, 'x'), '')
    const { code, err } = run([broken, '.', '', ''], tools)
    expect(code).toBe(3)
    expect(err).toContain('Permission denied')
  })

  it('gives the agent its rest and wakes it, also when nobody reads on', async () => {
    const folder = await tempFolder()
    const signal = join(folder, 'signal')
    const log = join(folder, 'log')
    await writeFile(signal, `echo "$1" >>'${log}'\n`)
    run([root, '.', '', signal, '/proc'])
    const cut = spawnSync('/bin/sh', [
      '-c',
      `/bin/sh -c "$0" icebox-tar '${root}' . '' '${signal}' | head -c 10; cat '${log}'`,
      GUEST_TAR_SCRIPT,
    ])
    expect(cut.stdout.toString().match(/STOP|CONT/g)).toEqual(['STOP', 'CONT', 'STOP', 'CONT'])
    await rm(folder, { recursive: true })
  })
})

describe('an image of one layer', () => {
  const FACTS = {
    platform: { os: 'linux', architecture: 'arm64' },
    config: { Cmd: ['sh'], Env: ['A=1'], WorkingDir: '/work' },
    createdAt: '2026-01-02T03:04:05.000Z',
    reference: 'bot-bottle-committed-x:1',
  }
  it('is read back as it was written, by us and by tar', async () => {
    const layer = Buffer.concat([
      writeTarHeader({ path: 'x', type: 'file', size: 3 }),
      Buffer.from('abc'),
      tarPadding(3),
      TAR_END,
    ])
    const path = join(await tempFolder(), 'image.tar')
    const written = await writeImage(path, pieces(layer, 300), FACTS, () => undefined, never)
    const read = await readImageFile(path)
    expect(read).toMatchObject({
      diffIds: [written.diffId],
      ...{ platform: FACTS.platform, config: FACTS.config },
    })
    const [place] = read.layers
    if (!place) throw new Error('no layer')
    expect((await collect(readLayer(path, place, never))).equals(layer)).toBe(true)
    const listed = spawnSync('tar', ['-tf', path]).stdout.toString()
    expect(listed).toMatch(/0\/layer\.tar\n[0-9a-f]{64}\.json\nmanifest\.json\n$/)
    await expect(writeImage(path, pieces(layer, 300), FACTS, () => undefined, never)).rejects.toThrow(
      'EEXIST',
    )
  })

  it('that is none is damaged state', async () => {
    const path = join(await tempFolder(), 'image.tar')
    await writeFile(path, Buffer.alloc(4096))
    await expect(readImageFile(path)).rejects.toMatchObject({ code: 'corrupt-state' })
  })
})

describe('what an image has in /workspace', () => {
  const layer = (files: Readonly<Record<string, string>>) => () => {
    const parts = Object.entries(files).flatMap(([path, text]) => [
      writeTarHeader({ path, type: 'file', size: text.length }),
      Buffer.from(text),
      tarPadding(text.length),
    ])
    return pieces(Buffer.concat([...parts, TAR_END]), 700)
  }
  it('is what the upper layers leave of it', async () => {
    const layers = [
      layer({ 'workspace/a': 'old', 'workspace/b': 'b', 'workspace/d/one': '1', 'etc/x': 'x' }),
      layer({
        './workspace/a': 'newer',
        'workspace/.wh.b': '',
        'workspace/d/.wh..wh..opq': '',
        'workspace/d/two': '2',
      }),
    ]
    const found = await workspaceOf(layers, never)
    const texts: Record<string, string> = {}
    await readTar(found ?? pieces(TAR_END, 512), ({ path }) => (chunk) => {
      texts[path] = `${texts[path] ?? ''}${Buffer.from(chunk).toString()}`
    })
    expect(texts).toEqual({ 'workspace/a': 'newer', 'workspace/d/two': '2' })
  })

  it('is nothing when no layer has anything there', async () => {
    expect(await workspaceOf([layer({ 'etc/workspace': 'x' })], never)).toBeNull()
    expect(
      await workspaceOf([layer({ 'workspace/a': 'x' }), layer({ '.wh.workspace': '' })], never),
    ).toBeNull()
  })
})
