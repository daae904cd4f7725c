import { describe, expect, it } from 'vitest'
import { imageFacts } from '../../../../src-main/backends/macos-container/image-source.ts'
import type { StoredImage } from '../../../../src-main/backends/macos-container/images.ts'
import { shortReference } from '../../../../src-main/backends/macos-container/inventory.ts'
import { recipeOf } from '../../../../src-main/backends/macos-container/launch.ts'
import { lastBytes } from '../../../../src-main/backends/macos-container/logs.ts'
import { hasMoved } from '../../../../src-main/backends/macos-container/stand.ts'
import { launchPlan } from '../../../support/launch-plan.ts'

const variant = (architecture: string, config: Record<string, unknown>, os = 'linux') => ({
  platform: { os, architecture },
  digest: `sha256:${architecture}`,
  bytes: 1,
  createdAt: null,
  diffIds: [],
  config,
})
const image = (...variants: StoredImage['variants'][number][]): StoredImage => ({
  reference: 'box:1',
  digest: 'sha256:index',
  variants,
})

describe('imageFacts', () => {
  it('takes this machine’s variant, and what it says of a run', () => {
    const config = {
      Entrypoint: ['/entry'],
      Cmd: ['go'],
      WorkingDir: '/w',
      User: 'node',
      Env: ['PATH=/bin', 'HOME=/home/node'],
    }
    expect(imageFacts(image(variant('amd64', {}), variant('arm64', config)), 'arm64')).toEqual({
      reference: 'docker.io/library/box:1',
      digest: 'sha256:index',
      entrypoint: ['/entry'],
      cmd: ['go'],
      workdir: '/w',
      user: 'node',
      home: '/home/node',
      platform: null,
      hasShell: null,
      built: null,
    })
  })
  it('names the platform of an image that is for another machine only', () => {
    expect(imageFacts(image(variant('amd64', {})), 'arm64').platform).toBe('linux/amd64')
  })
  it('refuses one that is for no Linux', () => {
    expect(() => imageFacts(image(variant('arm64', {}, 'darwin')), 'arm64')).toThrow(/no image for Linux/)
  })
})

describe('recipeOf', () => {
  it('takes the plan’s command, else the image’s, else none at all', () => {
    const of = (argv: readonly string[] | null, entrypoint: string[], cmd: string[]) =>
      recipeOf(launchPlan({ argv }), { entrypoint, cmd, reference: 'box' }).argv
    expect(of(['a'], ['b'], ['c'])).toEqual(['a'])
    expect(of(null, ['b'], ['c'])).toEqual(['b', 'c'])
    expect(() => of(null, [], [])).toThrow(/no command of its own/)
  })
})

it('calls a snapshot’s image as records do, and leaves other names alone', () => {
  expect(shortReference('docker.io/library/bot-bottle-committed-a:1')).toBe('bot-bottle-committed-a:1')
  expect(shortReference('bot-bottle-committed-a:1')).toBe('bot-bottle-committed-a:1')
  expect(shortReference('ghcr.io/a/b:1')).toBe('ghcr.io/a/b:1')
})

it('takes a bottle for unchanged only at the very point of its snapshot', () => {
  const at = (standPoint: unknown) => ({ facts: { standPoint } }) as never
  expect(hasMoved('run1 2 sg', at('run1 2 sg'))).toBe(false)
  expect(hasMoved('run1 4 sgsg', at('run1 2 sg'))).toBe(true)
  expect(hasMoved(null, at(undefined))).toBe(true)
  expect(hasMoved(null, at(null))).toBe(true)
  expect(hasMoved('run1 2 sg', null)).toBe(true)
})

it('holds no more of a stream than the end that was asked for', async () => {
  async function* stream() {
    for (const text of ['abc', 'def', 'gh']) yield Buffer.from(text)
  }
  const text = async (count: number) => Buffer.concat(await lastBytes(stream(), count)).toString()
  expect([await text(4), await text(100), await text(0), await text(5)]).toEqual([
    'efgh',
    'abcdefgh',
    '',
    'defgh',
  ])
})
