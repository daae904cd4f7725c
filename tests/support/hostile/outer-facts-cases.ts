import { createHash } from 'node:crypto'
import type { HostileCase } from './cases.ts'
import { digestOf, FILE_LAYER, goodFacts, type LayoutSpec, ociArchive } from './layout.ts'
import { images, type Json } from './outer-changes.ts'
import { rawTar } from './raw-tar.ts'

/** Facts, volumes and thin archives that lie. */
const facts =
  (changes: Parameters<typeof goodFacts>[0], spec: LayoutSpec = {}) =>
  () =>
    ociArchive({ facts: goodFacts(changes), ...spec })
const DATA = { content: rawTar([{ name: 'data/', type: '5' }]), destination: '/data' }

export const FACTS: readonly HostileCase[] = [
  { name: 'facts of another version', build: facts({ rest: { version: 2 } }), reason: /facts .*version/ },
  { name: 'a slug that climbs', build: facts({ bottle: { slug: '../x' } }), reason: /"\.\.\/x"/ },
  {
    name: 'a snapshot id that is none',
    build: facts({ snapshot: { id: '../../x' } }),
    reason: /snapshot\.id/,
  },
  { name: 'a parent that is a path', build: facts({ snapshot: { parent: '../../x' } }), reason: /parent/ },
  {
    name: 'an agent with control characters',
    build: facts({ bottle: { agent: 'a\u001b[2Jb' } }),
    reason: /agent/,
  },
  ...['evil.yaml', 'evil.yml', 'EVIL.YAML'].map((agent) => ({
    name: `an agent that would be read as a file: ${agent}`,
    build: facts({ bottle: { agent } }),
    reason: /name the agent/,
  })),
  {
    name: 'a carried agent that would be read as a file',
    build: facts({ definitions: { agents: { 'evil.yaml': 'x' } } }),
    reason: /name the definition/,
  },
  {
    name: 'a bottle name that climbs',
    build: facts({ bottle: { bottleNames: ['../../etc/x'] } }),
    reason: /bottle "/,
  },
  {
    name: 'a secret that is no name',
    build: facts({ bottle: { secretNames: ['A=B; rm'] } }),
    reason: /secret/,
  },
  {
    name: 'a definition that climbs',
    build: facts({ definitions: { agents: { '../../agents/claude': 'x' } } }),
    reason: /definition/,
  },
  { name: 'a date that is none', build: facts({ snapshot: { createdAt: 'yesterday' } }), reason: /made at/ },
  {
    name: 'a definition of megabytes',
    build: facts({ definitions: { agents: { big: 'x'.repeat(300_000) } } }),
    reason: /definitions\.agents/,
  },
  {
    name: 'a volume that climbs',
    build: facts({}, { volumes: [{ ...DATA, destination: '/data/../../etc' }] }),
    reason: /volume at/,
  },
  {
    name: 'a volume at a relative path',
    build: facts({}, { volumes: [{ ...DATA, destination: 'data' }] }),
    reason: /volume at/,
  },
  {
    name: 'two volumes at one place',
    build: facts({}, { volumes: [DATA, { ...DATA, pack: 'zstd' }] }),
    reason: /two volumes/,
  },
  {
    name: 'a volume with another content',
    build: facts(
      {},
      { volumes: [{ ...DATA, fact: { sha256: createHash('sha256').update('x').digest('hex') } }] },
    ),
    reason: /volume \/data.*unfolds to/,
  },
  {
    name: 'a volume that lies about its size',
    build: facts({}, { volumes: [{ ...DATA, fact: { bytes: 12 } }] }),
    reason: /not to 12/,
  },
  {
    name: 'a volume that says it is elsewhere',
    build: facts({}, { volumes: [{ ...DATA, fact: { destination: '/other' } }] }),
    reason: /belongs to "\/data" and to "\/other"/,
  },
  {
    name: 'volumes that no fact knows',
    build: () =>
      ociArchive({
        facts: goodFacts(),
        volumes: [DATA],
        changeParts: (parts) => ({
          ...parts,
          layers: [...(parts.layers as Json[]), ...(parts.layers as Json[])],
        }),
      }),
    reason: /1 volumes, but 2/,
  },
  {
    name: 'parts of another image',
    build: () =>
      ociArchive({
        facts: goodFacts(),
        changeParts: (parts) => ({
          ...parts,
          subject: { ...(parts.subject as Json), digest: digestOf(Buffer.from('another')) },
        }),
      }),
    reason: /belongs to another image/,
  },
  {
    name: 'parts that are missing',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({
            ...image,
            annotations: { 'dev.icebox.parts': digestOf(Buffer.from('parts')) },
          })),
        }),
      }),
    reason: /parts manifest .* is missing/,
  },
  {
    name: 'parts that are a path',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({
            ...image,
            annotations: { 'dev.icebox.parts': 'sha256:../../../../../etc/passwd' },
          })),
        }),
      }),
    reason: /no sha256 digest/,
  },
  {
    name: 'a thin archive whose base is nowhere',
    build: () =>
      ociArchive({ facts: goodFacts(), layers: [FILE_LAYER, { content: rawTar([{ name: 'a' }]) }], thin: 1 }),
    reason: new RegExp(digestOf(FILE_LAYER.content).slice(0, 19)),
    code: 'artifact-base-missing',
  },
  {
    name: 'a thin archive that leaves out more than there is',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, annotations: { 'dev.icebox.thin': '9' } })),
        }),
      }),
    reason: /leaves out 9 of 1/,
  },
  {
    name: 'a thin archive that leaves out no number',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, annotations: { 'dev.icebox.thin': '-1' } })),
        }),
      }),
    reason: /leaves out "-1"/,
  },
  {
    name: 'a thin archive that leaves out an upper layer',
    build: () =>
      ociArchive({
        layers: [FILE_LAYER, { content: rawTar([{ name: 'a' }]) }],
        thin: 2,
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, annotations: { 'dev.icebox.thin': '1' } })),
        }),
      }),
    reason: /layer 2 .* is missing/,
  },
]
