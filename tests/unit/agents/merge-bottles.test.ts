import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BottleLayer, SidecarLayer } from '../../../src-main/agents/definitions.ts'
import { finishBottle, mergeLayers } from '../../../src-main/agents/merge-bottles.ts'

const EMPTY: BottleLayer = {
  name: 'x',
  file: '/x.md',
  extends: [],
  env: {},
  secrets: [],
  mounts: [],
  resources: {},
  sidecars: {},
  egress: null,
  gitGate: null,
  provider: null,
  health: null,
}

const word = fc.constantFrom('a', 'b', 'c')
const words = fc.uniqueArray(word)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const texts = fc.dictionary(word, word)
const sidecar: fc.Arbitrary<SidecarLayer> = fc.record(
  { image: word, command: fc.array(word), env: texts, secrets: words, line: fc.nat() },
  { requiredKeys: ['env', 'secrets', 'line'] },
)
const layer: fc.Arbitrary<BottleLayer> = fc.record(
  {
    name: word,
    file: word,
    extends: fc.uniqueArray(fc.record({ name: word, line: fc.constant(1) }), {
      selector: (parent) => parent.name,
    }),
    origin: fc.oneof(
      fc.record({ image: word }),
      fc.record({ build: fc.record({ context: word, dockerfile: word, target: maybe(word) }) }),
    ),
    backend: fc.constantFrom('docker' as const, 'host' as const),
    user: word,
    env: texts,
    secrets: words,
    mounts: fc.uniqueArray(
      fc.record({
        type: fc.constant('volume' as const),
        source: word,
        target: word,
        readOnly: fc.boolean(),
        external: fc.boolean(),
      }),
      { selector: (mount) => mount.target },
    ),
    resources: fc.record({ cpus: fc.nat(), memoryBytes: fc.nat() }, { requiredKeys: [] }),
    sidecars: fc.dictionary(word, sidecar),
    egress: maybe(
      fc.record({
        routes: fc.array(
          fc.record({ host: word, matches: word, auth: fc.constant(null), role: word, dlp: fc.boolean() }),
        ),
      }),
    ),
    gitGate: maybe(
      fc.record({ user: maybe(fc.record({ name: maybe(word), email: maybe(word) })), repos: texts }),
    ),
    supervise: fc.boolean(),
    provider: maybe(
      fc.record({
        name: maybe(fc.constantFrom('claude' as const, 'pi' as const)),
        args: maybe(fc.array(word)),
        permissions: maybe(fc.constantFrom('skip' as const, 'ask' as const)),
        other: texts,
      }),
    ),
    health: maybe(fc.record({ command: fc.array(word), timeout: fc.nat() })),
  },
  {
    requiredKeys: [
      'name',
      'file',
      'extends',
      'env',
      'secrets',
      'mounts',
      'resources',
      'sidecars',
      'egress',
      'gitGate',
      'provider',
      'health',
    ],
  },
)

describe('mergeLayers', () => {
  it('is associative', () => {
    fc.assert(
      fc.property(layer, layer, layer, (a, b, c) => {
        expect(mergeLayers(mergeLayers(a, b), c)).toEqual(mergeLayers(a, mergeLayers(b, c)))
      }),
      { numRuns: 500 },
    )
  })

  it('changes nothing when a layer is laid over itself', () => {
    fc.assert(
      fc.property(layer, (a) => {
        expect(mergeLayers(a, a)).toEqual(a)
      }),
    )
  })

  it('never loses a policy that any layer declares', () => {
    fc.assert(
      fc.property(layer, layer, (a, b) => {
        const merged = mergeLayers(a, b)
        expect(merged.egress !== null).toBe(a.egress !== null || b.egress !== null)
        expect(merged.gitGate !== null).toBe(a.gitGate !== null || b.gitGate !== null)
      }),
    )
  })

  it('replaces single values, merges maps, unites secrets, replaces routes by host', () => {
    const route = (host: string, role: string) => ({ host, matches: null, auth: null, role, dlp: null })
    const merged = mergeLayers(
      {
        ...EMPTY,
        user: 'a',
        env: { A: '1', B: '1' },
        secrets: ['S', 'T'],
        egress: { routes: [route('x', 'old'), route('y', 'old')] },
      },
      {
        ...EMPTY,
        env: { B: '2' },
        secrets: ['T', 'U'],
        egress: { routes: [route('x', 'new'), route('x', 'also')] },
      },
    )
    expect(merged).toMatchObject({ user: 'a', env: { A: '1', B: '2' }, secrets: ['S', 'T', 'U'] })
    expect(merged.egress?.routes).toEqual([route('y', 'old'), route('x', 'new'), route('x', 'also')])
  })

  it('lets an image replace an inherited build, whole', () => {
    const build = { build: { context: '/c', dockerfile: 'D', target: null } }
    const merged = mergeLayers({ ...EMPTY, origin: build }, { ...EMPTY, origin: { image: 'i' } })
    expect(finishBottle(merged, 'm').bottle).toMatchObject({ image: 'i', build: null })
  })
})

describe('finishBottle', () => {
  it('names a sidecar that no layer gives an image', () => {
    const layered = { ...EMPTY, sidecars: { forge: { env: {}, secrets: [], line: 7 } } }
    expect(finishBottle(layered, 'm').problems).toEqual([
      { file: '/x.md', line: 7, message: 'The sidecar forge has no `image`.', hint: null },
    ])
  })
})
