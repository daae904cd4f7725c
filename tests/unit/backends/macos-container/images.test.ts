import { expect, it } from 'vitest'
import {
  decodeImages,
  fullReference,
  variantFor,
} from '../../../../src-main/backends/macos-container/images.ts'

const config = {
  architecture: 'arm64',
  os: 'linux',
  created: '2026-01-01T00:00:00Z',
  config: { Env: ['A=1'] },
  rootfs: { diff_ids: ['sha256:x'] },
}
const answer = [
  {
    id: 'ab',
    configuration: { name: 'docker.io/library/alpine:3.20', descriptor: { digest: 'sha256:ab', size: 1 } },
    variants: [
      { platform: { architecture: 'amd64', os: 'linux' }, digest: 'sha256:m1', size: 5, config },
      {
        platform: { architecture: 'arm64', os: 'linux', variant: 'v8' },
        digest: 'sha256:m2',
        size: 6,
        config,
      },
      { platform: { architecture: 'unknown', os: 'unknown' }, digest: 'sha256:m3', size: 7, config: {} },
    ],
  },
]

it('reads images with their variants, without attestations', () => {
  const [image] = decodeImages(answer)
  expect(image).toMatchObject({ reference: 'docker.io/library/alpine:3.20', digest: 'sha256:ab' })
  expect(image?.variants.map(({ digest }) => digest)).toEqual(['sha256:m1', 'sha256:m2'])
  expect(image?.variants[1]).toMatchObject({ bytes: 6, diffIds: ['sha256:x'], config: { Env: ['A=1'] } })
})

it('reads nothing from answers of another shape', () => {
  for (const odd of [null, {}, 'x', [null, 1, {}, { configuration: {} }]])
    expect(decodeImages(odd)).toEqual([])
})

it('finds the variant of a platform', () => {
  const [image] = decodeImages(answer)
  if (!image) throw new Error('no image')
  const find = (architecture: string, variant?: string) =>
    variantFor(image, { os: 'linux', architecture, variant })?.digest
  expect([find('arm64', 'v8'), find('arm64'), find('amd64'), find('s390x')]).toEqual([
    'sha256:m2',
    'sha256:m2',
    'sha256:m1',
    undefined,
  ])
})

it('knows under which name the engine keeps an image', () => {
  expect(
    [
      'alpine',
      'alpine:3.20',
      'me/app:1',
      'ghcr.io/me/app',
      'localhost:5000/app:2',
      'docker.io/library/a:1',
      `alpine@sha256:${'a'.repeat(64)}`,
    ].map(fullReference),
  ).toEqual([
    'docker.io/library/alpine:latest',
    'docker.io/library/alpine:3.20',
    'docker.io/me/app:1',
    'ghcr.io/me/app:latest',
    'localhost:5000/app:2',
    'docker.io/library/a:1',
    `docker.io/library/alpine@sha256:${'a'.repeat(64)}`,
  ])
})
