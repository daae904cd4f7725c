import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ContainerClient } from '../../../../src-main/backends/macos-container/client.ts'
import {
  forgetConfig,
  readImageConfig,
  rememberConfig,
} from '../../../../src-main/backends/macos-container/image-config.ts'
import { writeLayoutOfLayers } from '../../../../src-main/backends/macos-container/layout-file.ts'
import { bottleError } from '../../../../src-main/system/bottle-error.ts'
import { tempFolder } from '../../../support/test-root.ts'

const { signal } = new AbortController()
const platform = { os: 'linux', architecture: 'arm64' }
const digest = `sha256:${'a'.repeat(64)}`
const CONFIG = { Env: ['A=1'], ExposedPorts: { '80/tcp': {} }, Healthcheck: { Test: ['CMD', 'x'] } }

/** A program that has one image, and tells as little of it as Apple's does. */
function program(state: { isGone: boolean; digest: string }) {
  const calls: string[] = []
  const layer = { diffId: `sha256:${createHash('sha256').update('x').digest('hex')}`, bytes: 1 }
  const open = async function* () {
    yield Buffer.from('x')
  }
  const client = {
    json: async (args: readonly string[]) => {
      calls.push(args.slice(0, 2).join(' '))
      if (state.isGone) throw bottleError('image-missing')
      const variant = { platform, digest: 'sha256:m', size: 7, config: { config: { Env: ['A=1'] } } }
      const descriptor = { digest: state.digest }
      return [{ configuration: { name: 'docker.io/library/box:1', descriptor }, variants: [variant] }]
    },
    run: async (args: readonly string[]) => {
      calls.push(args.slice(0, 2).join(' '))
      const file = args[args.indexOf('--output') + 1] ?? ''
      const config = JSON.stringify({ config: CONFIG, rootfs: { diff_ids: [layer.diffId] } })
      const layers = [{ digest: layer.diffId, bytes: 1 }]
      const request = { reference: 'docker.io/library/box:1', platform, config, layers }
      await writeLayoutOfLayers(file, [{ ...layer, open }], request, () => {}, signal)
      return { stdout: '', stderr: '', exitCode: 0 }
    },
  } as unknown as ContainerClient
  return { client, calls }
}

it('takes the whole config out of the image once, and knows it from then on, image or no image', async () => {
  const home = await tempFolder()
  const state = { isGone: false, digest }
  const { client, calls } = program(state)
  const scratch = join(home, 'scratch')
  const read = () => readImageConfig(client, home, { reference: 'box:1', digest, platform }, scratch, signal)
  expect(await read()).toEqual({ config: CONFIG, bytes: 7 })
  expect(calls).toEqual(['image inspect', 'image save'])
  expect(await readdir(scratch)).toEqual([])
  state.isGone = true
  expect(await read()).toEqual({ config: CONFIG, bytes: 7 })
  expect(calls).toHaveLength(2)
  await forgetConfig(home, { digest, platform })
  expect(await read()).toBeNull()
})

it('takes no other image for it that has the name by now', async () => {
  const home = await tempFolder()
  const { client, calls } = program({ isGone: false, digest: `sha256:${'b'.repeat(64)}` })
  const image = { reference: 'box:1', digest, platform }
  expect(await readImageConfig(client, home, image, join(home, 'scratch'), signal)).toBeNull()
  expect(calls).toEqual(['image inspect'])
})

it('tells that an image is gone, and keeps nothing under a digest that is none', async () => {
  const home = await tempFolder()
  const { client } = program({ isGone: true, digest })
  const image = { reference: 'box:1', digest: '../../x', platform }
  await rememberConfig(home, image, { config: CONFIG, bytes: 1 })
  expect(await readImageConfig(client, home, image, join(home, 'scratch'), signal)).toBeNull()
  expect(await readdir(home)).toEqual([])
})
