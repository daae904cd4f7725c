import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readJsonObject } from '../../state/durable-file.ts'
import { isSlug } from '../../state/slug.ts'
import type { RuntimeRef } from '../backend.ts'
import { START_SIZE } from '../local/multiplexer.ts'
import { type Engine, SHORT_MS } from './engine.ts'

export interface Size {
  readonly cols: number
  readonly rows: number
}

/** Docker tells nobody how large a terminal is, so whoever changes it writes it down. */
const fileOf = (home: string, slug: string): string => join(home, 'state', slug, 'agent', 'terminal.json')

/** The size that a run's terminal has as far as Icebox gave it one. */
export async function knownSize(home: string, ref: Pick<RuntimeRef, 'slug' | 'runId'>): Promise<Size> {
  if (!isSlug(ref.slug)) return START_SIZE
  const read = await readJsonObject(fileOf(home, ref.slug))
  if (read.kind !== 'ok' || read.value.runId !== ref.runId) return START_SIZE
  const { cols, rows } = read.value
  const isSize = (value: unknown): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 10_000
  return isSize(cols) && isSize(rows) ? { cols, rows } : START_SIZE
}

/** Gives a running container's terminal a size, and remembers it for whoever looks later. @throws BottleError */
export async function setSize(
  engine: Engine,
  home: string,
  ref: Pick<RuntimeRef, 'id' | 'slug' | 'runId'>,
  size: Size,
  signal: AbortSignal,
): Promise<void> {
  await resize(engine, ref.id, size, signal)
  await remember(home, ref, size)
}

/** The size that a run begins with; an agent that has ended already needs none. @throws BottleError */
export async function giveStartSize(
  engine: Engine,
  home: string,
  run: Pick<RuntimeRef, 'id' | 'slug' | 'runId'>,
  signal: AbortSignal,
): Promise<void> {
  await setSize(engine, home, run, START_SIZE, signal).catch((thrown: unknown) => {
    if (signal.aborted) throw thrown
  })
}

/** The engine's call alone. @throws BottleError */
export async function resize(engine: Engine, id: string, size: Size, signal: AbortSignal): Promise<void> {
  const path = `/containers/${encodeURIComponent(id)}/resize?h=${size.rows}&w=${size.cols}`
  await engine.send('resize the terminal', { method: 'POST', path }, signal, SHORT_MS)
}

async function remember(home: string, { slug, runId }: Pick<RuntimeRef, 'slug' | 'runId'>, size: Size) {
  if (!isSlug(slug)) return
  const file = fileOf(home, slug)
  const temp = `${file}.${randomBytes(4).toString('hex')}`
  try {
    // Only the last folder: that of a bottle which is gone must not come back.
    await mkdir(join(file, '..'), { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await writeFile(temp, JSON.stringify({ runId, ...size }), { mode: 0o600 })
    await rename(temp, file)
  } catch {
    // A look at a wrong size is no reason to lose a terminal.
    await rm(temp, { force: true })
  }
}
