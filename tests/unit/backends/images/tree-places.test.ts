import { describe, expect, test } from 'vitest'
import {
  fromHostTrees,
  placesOf,
  requireOwnWorkspace,
  type TreePlaces,
  toHostTrees,
} from '../../../../src-main/backends/images/tree-places.ts'
import { readTar } from '../../../../src-main/workers/tar/read-tar.ts'
import { type Relocation, relocateLayer } from '../../../../src-main/workers/tar/relocate.ts'
import {
  type NewTarEntry,
  TAR_END,
  tarPadding,
  writeTarHeader,
} from '../../../../src-main/workers/tar/writer.ts'

const never = new AbortController().signal
type Made = Omit<NewTarEntry, 'size'> & { readonly text?: string }

/** A layer of these entries, in chunks that cut through headers and content. */
function layerOf(entries: readonly Made[], piece = 700): () => AsyncIterable<Uint8Array> {
  const parts = entries.flatMap(({ text = '', ...entry }) => {
    const body = Buffer.from(text)
    return [writeTarHeader({ ...entry, size: body.length }), body, tarPadding(body.length)]
  })
  const whole = Buffer.concat([...parts, TAR_END])
  return async function* () {
    for (let at = 0; at < whole.length; at += piece) yield whole.subarray(at, at + piece)
  }
}

interface Told {
  readonly path: string
  readonly type: string
  readonly text: string
  readonly owner: string
  readonly link: string
}

async function moved(entries: readonly Made[], relocation: Relocation): Promise<readonly Told[]> {
  const told: (Told & { text: string })[] = []
  await readTar(relocateLayer(layerOf(entries), relocation, never), (entry) => {
    const own = {
      path: entry.path,
      type: entry.type,
      text: '',
      owner: `${entry.uid}:${entry.gid}`,
      link: entry.link,
    }
    told.push(own)
    return (piece) => {
      own.text += Buffer.from(piece).toString()
    }
  })
  return told
}

const PLACES: TreePlaces = { workspace: '/srv/app', home: '/home/me' }
const paths = (told: readonly Told[]) => told.map(({ path }) => path)

describe('from a container to this machine', () => {
  test('takes the two trees and leaves the rest', async () => {
    const left: string[] = []
    const told = await moved(
      [
        { path: 'etc/passwd', type: 'file', text: 'x' },
        { path: './srv/app/', type: 'folder' },
        { path: 'srv/app/a', type: 'file', text: 'content' },
        { path: 'srv/application', type: 'file', text: 'other' },
        { path: '/home/me/.b', type: 'file', text: 'bee' },
        { path: 'srv/app/dev', type: 'char', major: 1, minor: 3 },
        { path: 'srv/app/link', type: 'symlink', link: '/etc/passwd' },
      ],
      { ...toHostTrees(PLACES), withoutDevices: true, onLeft: (path) => left.push(path) },
    )
    expect(told.map(({ path, text, link }) => [path, text || link])).toEqual([
      ['workspace/', ''],
      ['workspace/a', 'content'],
      ['home/agent/.b', 'bee'],
      ['workspace/link', '/etc/passwd'],
    ])
    expect(left).toEqual(['etc/passwd', 'srv/application', 'srv/app/dev'])
  })

  test('a link to what stays behind becomes the file itself, once', async () => {
    const told = await moved(
      [
        { path: 'usr/lib/big', type: 'file', text: 'content of it' },
        { path: 'srv/app/one', type: 'hardlink', link: 'usr/lib/big' },
        { path: 'home/me/two', type: 'hardlink', link: './usr/lib/big' },
        { path: 'srv/app/a', type: 'file', text: 'a' },
        { path: 'srv/app/b', type: 'hardlink', link: 'srv/app/a' },
      ],
      toHostTrees(PLACES),
    )
    expect(told.map(({ path, type, text, link }) => [path, type, text || link])).toEqual([
      ['workspace/a', 'file', 'a'],
      ['workspace/b', 'hardlink', 'workspace/a'],
      ['workspace/one', 'file', 'content of it'],
      ['home/agent/two', 'hardlink', 'workspace/one'],
    ])
  })

  test.each([
    ['srv/app/.wh.gone', ['workspace/.wh.gone']],
    ['srv/app/deep/.wh..wh..opq', ['workspace/deep/.wh..wh..opq']],
    ['srv/app/.wh..wh..opq', ['workspace/.wh..wh..opq']],
    ['srv/.wh.app', ['workspace/.wh..wh..opq']],
    ['.wh.srv', ['workspace/.wh..wh..opq']],
    ['.wh..wh..opq', ['workspace/.wh..wh..opq', 'home/agent/.wh..wh..opq']],
    ['home/me/.wh..cache', ['home/agent/.wh..cache']],
    ['etc/.wh.passwd', []],
    ['srv/.wh.application', []],
  ])('the whiteout %s means %j', async (path, marks) => {
    const relocation = toHostTrees(PLACES)
    expect([...relocation.marks(path)].sort()).toEqual([...marks].sort())
  })

  test('a working folder inside the home belongs to the workspace alone', async () => {
    const told = await moved(
      [
        { path: 'root/.note', type: 'file' },
        { path: 'root/app/x', type: 'file' },
        { path: 'root/.wh.app', type: 'file' },
      ],
      toHostTrees({ workspace: '/root/app', home: '/root' }),
    )
    expect(paths(told)).toEqual(['home/agent/.note', 'workspace/x', 'workspace/.wh..wh..opq'])
  })

  test('a link on the way to the working folder is refused, not followed', async () => {
    const layer = [{ path: 'srv', type: 'symlink', link: 'var/srv' }] as const
    await expect(moved(layer, toHostTrees(PLACES))).rejects.toMatchObject({ code: 'unsupported' })
  })
})

describe('from this machine to a container', () => {
  const relocation = { ...fromHostTrees(PLACES), owner: { uid: 1234, gid: 99 } }

  test('hides what the image has there, and gives all to its user', async () => {
    const told = await moved(
      [
        { path: 'home', type: 'folder' },
        { path: 'home/agent', type: 'folder' },
        { path: 'home/agent/.memory', type: 'file', text: 'said' },
        { path: 'workspace', type: 'folder' },
        { path: 'workspace/a', type: 'file', text: 'x', uid: 5 },
      ],
      relocation,
    )
    expect(paths(told)).toEqual([
      'home/me/',
      'home/me/.wh..wh..opq',
      'home/me/.memory',
      'srv/app/',
      'srv/app/.wh..wh..opq',
      'srv/app/a',
    ])
    expect(told.at(-1)).toMatchObject({ owner: '1234:99', text: 'x' })
  })

  test('a file in the way of the other tree is told, not lost', async () => {
    const nested = fromHostTrees({ workspace: '/root/app', home: '/root' })
    const layer = [{ path: 'home/agent/app', type: 'file' }] as const
    await expect(moved(layer, nested)).rejects.toMatchObject({ code: 'unsupported' })
  })

  test('there and back is the same', async () => {
    const layer: Made[] = [
      { path: 'workspace', type: 'folder' },
      { path: `workspace/${'long/'.repeat(40)}name`, type: 'file', text: 'l' },
      { path: 'workspace/..wh.x', type: 'file', text: 'odd' },
      { path: 'workspace/\xc3\xa4', type: 'file', text: 'bytes', mtime: '1.5' },
      { path: 'home/agent', type: 'folder' },
    ]
    const out = relocateLayer(layerOf(layer), fromHostTrees(PLACES), never)
    const chunks: Uint8Array[] = []
    for await (const chunk of out) chunks.push(chunk)
    const again = async function* () {
      yield* chunks
    }
    const back: string[] = []
    await readTar(relocateLayer(again, toHostTrees(PLACES), never), ({ path }) => {
      back.push(path.replace(/\/$/, ''))
      return 'skip'
    })
    expect(back.filter((path) => !path.endsWith('.opq'))).toEqual(layer.map(({ path }) => path))
  })
})

describe('places', () => {
  test('of an image are its working folder and its home', () => {
    expect(placesOf({ WorkingDir: '/w/' }, '/root')).toEqual({ workspace: '/w', home: '/root' })
    expect(placesOf({}, '/')).toEqual({ workspace: '/workspace', home: null })
    expect(placesOf({ WorkingDir: '/root' }, '/root')).toEqual({ workspace: '/root', home: null })
  })
  test('the whole file system is no working folder', () => {
    expect(() => requireOwnWorkspace({ workspace: '/', home: null })).toThrow(/workdir/)
  })
})
