import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { mustRun } from '../lib/guest.ts'
import { unpackLayers } from '../lib/root-file-system.ts'
import { agentFailure, configFailure } from './failure.ts'
import { type CheckpointFacts, extractAssets, type OpenPack, readPack } from './pack-file.ts'

/** A checkpoint in a file, opened. */
export interface FoundCheckpoint {
  readonly path: string
  readonly pack: OpenPack
  readonly facts: CheckpointFacts
}

const CONTENT = 'checkpoint.bin'
const STORE = 'store.txt'

/** Opens a checkpoint or one of its forebears: `~0` is itself, `~1` the one before. @throws Failure */
export function readCheckpoint(path: string, at = '~0'): FoundCheckpoint {
  const match = /^~(\d+)$/.exec(at)
  if (!match) throw configFailure('checkpoint', `invalid position '${at}' (expected ~N)`)
  const chain = historyOf(path)
  const found = chain[Number(match[1])]
  if (!found) throw configFailure('checkpoint', `no checkpoint at ${at} (the history has ${chain.length})`)
  return found
}

/** A checkpoint and those before it, as far as they are kept. @throws Failure */
export function historyOf(path: string): readonly FoundCheckpoint[] {
  if (!existsSync(path)) throw configFailure('checkpoint', `file not found: ${path}`)
  const isFolder = statSync(path).isDirectory()
  const first = open(isFolder ? join(path, CONTENT) : path)
  const store = isFolder ? readFileSync(join(path, STORE), 'utf8') : null
  const chain = [first]
  for (let parent = first.facts.parent; store !== null && parent !== undefined; ) {
    const file = join(store, 'objects', parent)
    if (!existsSync(file)) break
    const next = open(file)
    chain.push(next)
    parent = next.facts.parent
  }
  return chain
}

/** Everything in a store, newest first. */
export function checkpointsIn(store: string): readonly FoundCheckpoint[] {
  const folder = join(store, 'objects')
  if (!existsSync(folder)) throw configFailure('checkpoint', `not a checkpoint store: ${store}`)
  return readdirSync(folder)
    .map((name) => open(join(folder, name)))
    .toSorted((one, two) => (one.facts.created < two.facts.created ? 1 : -1))
}

function open(path: string): FoundCheckpoint {
  const pack = readPack(path)
  const facts = pack.manifest.checkpoint
  if (!facts) throw agentFailure('read checkpoint', `${path} is no checkpoint`)
  return { path, pack, facts }
}

/** Puts a file into a store and makes `output` a folder of links to it. The file itself goes. */
export function keepInStore(file: string, store: string, output: string, id: string): void {
  mkdirSync(join(store, 'objects'), { recursive: true })
  linkSync(file, join(store, 'objects', id))
  mkdirSync(output)
  linkSync(join(store, 'objects', id), join(output, CONTENT))
  writeFileSync(join(output, STORE), store)
  rmSync(file)
}

/** Lays disks and saved memory of a checkpoint out in a machine's folder. @throws Failure */
export function placeCheckpoint({ path, pack }: FoundCheckpoint, vmDir: string): void {
  const staging = mkdtempSync(join(vmDir, 'restore-'))
  try {
    const file = (entry: { readonly path: string }) => join(staging, entry.path.replaceAll('/', '_'))
    extractAssets(path, pack, file)
    const { layers, storage_template } = pack.manifest.assets
    unpackLayers(join(vmDir, 'rootfs'), layers.map(file))
    if (storage_template) unpackLayers(join(vmDir, 'storage'), [file(storage_template)])
    const state = pack.manifest.checkpoint?.state
    if (state) unpackLayers(join(vmDir, 'saved'), [file(state)])
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** Packs a folder as a tar with owners, links and extended attributes; sockets can't be packed. */
export function tarFolder(folder: string, to: string, options: { readonly keepHoles: boolean }): void {
  mkdirSync(dirname(to), { recursive: true })
  mustRun('tar', [
    ...['-c', '-f', to, '-C', folder, '--format=pax', '--numeric-owner', '--warning=none'],
    ...['--xattrs', '--xattrs-include=*', '--pax-option=delete=atime,delete=ctime'],
    ...(options.keepHoles ? ['--sparse'] : []),
    '.',
  ])
}

/** Name of a layer: what is in it. */
export function digestOf(path: string): string {
  return `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`
}
