import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findTar } from '../../../src-main/backends/host/portable/tar-program.ts'
import type { LayerFile } from '../../../src-main/backends/portable.ts'

export const EXACT = { withOwner: true, exactTimes: true } as const

export async function allOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export function layerOf(tar: Uint8Array): LayerFile {
  const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`
  return {
    diffId,
    bytes: tar.length,
    async *open() {
      for (let at = 0; at < tar.length; at += 100_000) yield tar.subarray(at, at + 100_000)
    },
  }
}

export async function gnuTar() {
  const program = await findTar(process.env)
  if (program?.kind !== 'gnu') throw new Error('these tests need GNU tar')
  return program
}

export function makeRoots(at: string): void {
  for (const tree of ['workspace', 'home']) mkdirSync(join(at, tree), { recursive: true })
}
