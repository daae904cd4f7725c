import type {
  DiffEntry,
  DiffFolder,
  FileDiff,
  PruneResult,
  SecretFinding,
  SnapshotDiff,
  SpaceUsage,
} from '../../../src-preload/contract/artifacts.ts'
import type { StateSnapshot } from '../../../src-preload/contract/entities.ts'

const file = (
  path: string,
  kind: DiffEntry['kind'],
  before: number | null,
  after: number | null,
): DiffEntry => ({
  path,
  kind,
  type: 'file',
  bytesBefore: before,
  bytesAfter: after,
})

const ENTRIES: readonly DiffEntry[] = [
  file('/etc/ssl/openssl.cnf', 'metadata', 12_400, 12_400),
  file('/home/agent/.cache/pip/http/a/3f', 'removed', 48_000_000, null),
  file('/home/agent/.npmrc', 'added', null, 120),
  file('/usr/lib/python3/dist-packages/yaml/reader.py', 'added', null, 210_000),
  file('/workspace/shop/package.json', 'changed', 2100, 2240),
  file('/workspace/shop/src/cart.ts', 'changed', 8_400, 9_100),
  file('/workspace/shop/src/checkout/pay.ts', 'added', null, 4_800),
  file('/workspace/shop/src/old-cart.ts', 'removed', 7_100, null),
  ...Array.from({ length: 60 }, (_, index) =>
    file(`/workspace/shop/node_modules/lib-${index}/index.js`, 'added', null, 5_000_000),
  ),
]

/** As the core sums them: every folder over all below it. */
function foldersOf(entries: readonly DiffEntry[]): DiffFolder[] {
  const sums = new Map<string, { added: number; changed: number; removed: number; bytes: number }>()
  for (const entry of entries) {
    for (let at = entry.path.lastIndexOf('/'); at > 0; at = entry.path.lastIndexOf('/', at - 1)) {
      const path = entry.path.slice(0, at)
      const sum = sums.get(path) ?? { added: 0, changed: 0, removed: 0, bytes: 0 }
      sum[entry.kind === 'metadata' ? 'changed' : entry.kind] += 1
      sum.bytes += (entry.bytesAfter ?? 0) - (entry.bytesBefore ?? 0)
      sums.set(path, sum)
    }
  }
  return [...sums].map(([path, sum]) => ({ path, ...sum })).sort((a, b) => (a.path < b.path ? -1 : 1))
}

export const SNAPSHOT_DIFF: SnapshotDiff = {
  from: 'auth-rewrite@20261121T061500Z-a006',
  to: 'auth-rewrite',
  totals: { added: 63, changed: 3, removed: 2, bytes: 252_207_060 },
  folders: foldersOf(ENTRIES),
  entries: [...ENTRIES],
  truncated: 0,
  packages: [
    { manager: 'dpkg', name: 'libssl3', before: '3.0.14-1', after: '3.0.15-1' },
    { manager: 'npm', name: 'lib-0', before: null, after: '2.1.0' },
    { manager: 'pip', name: 'PyYAML', before: '6.0', after: null },
  ],
  config: [
    { key: 'Env.NODE_ENV', before: null, after: 'production' },
    { key: 'ExposedPorts', before: '3000/tcp', after: '3000/tcp, 9229/tcp' },
  ],
  volumes: [file('/data/db/wal/000001', 'changed', 16_000_000, 32_000_000)],
  notices: [],
}

export const FILE_DIFF: FileDiff = {
  path: '/workspace/shop/src/cart.ts',
  text: [
    '--- auth-rewrite@20261121T061500Z-a006',
    '+++ auth-rewrite',
    '@@ -1,7 +1,8 @@',
    " import { price } from './price.ts'",
    ' ',
    ' export function total(items: readonly Item[]): number {',
    '-  let sum = 0',
    '-  for (const item of items) sum += price(item)',
    '-  return sum',
    '+  // Whole cents: a sum of fractions is off by one now and then.',
    '+  const cents = items.map((item) => Math.round(price(item) * 100))',
    '+  return cents.reduce((sum, next) => sum + next, 0) / 100',
    ' }',
    ' ',
    '\\ No newline at end of file',
    '',
  ].join('\n'),
  reason: null,
}

export const FINDINGS: readonly SecretFinding[] = [
  { where: 'env', name: 'ANTHROPIC_API_KEY', rule: 'declared secret ANTHROPIC_API_KEY', inBase: false },
  { where: 'file', name: '/home/agent/.npmrc', rule: 'npm token', inBase: false },
  { where: 'history', name: 'layer 4', rule: 'GitHub token', inBase: true },
]

export const PREVIEW: PruneResult = {
  dryRun: true,
  snapshots: [
    {
      slug: 'auth-rewrite',
      id: '20261120T061500Z-a001',
      reason: 'another one of that day is newer',
      bytes: 8_000_000,
    },
    { slug: 'billing-spike', id: '20261103T031500Z-a002', reason: 'older than 4 weeks', bytes: 310_000_000 },
  ],
  storeBytes: 1_200_000_000,
  freedBytes: 1_200_000_000,
  trashedBytes: 318_000_000,
  notices: [],
}

export function usageOf(state: StateSnapshot): SpaceUsage {
  const snapshots = state.bottles.flatMap(({ slug, snapshots: count, bytes }) =>
    Array.from({ length: count }, (_, index) => {
      const unique = Math.round((bytes ?? 0) / (index + 3))
      return {
        slug,
        id: `20261121T0${index % 10}1500Z-a00${index}`,
        bytes: bytes ?? 0,
        uniqueBytes: unique,
        sharedBytes: (bytes ?? 0) - unique,
      }
    }),
  )
  const unique = snapshots.reduce((sum, snapshot) => sum + snapshot.uniqueBytes, 0)
  return {
    snapshots,
    snapshotBytes: unique + (unique > 0 ? 2_400_000_000 : 0),
    storeBytes: unique > 0 ? 1_900_000_000 : 0,
    storeUnusedBytes: unique > 0 ? 1_200_000_000 : 0,
    trashBytes: state.trash.reduce((sum, entry) => sum + entry.bytes, 0),
    freeBytes: 48_200_000_000,
    notices: [],
  }
}
