import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeBusyboxImage, must } from '../support/busybox-image.ts'
import type { Bench } from './bench.ts'

/** An image with this machine's Node and one script, for a process that measures its own time. Returns the tag. */
export async function makeNodeImage(bench: Bench, script: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'ticker-'))
  try {
    const ticker = join(dir, 'ticker.cjs')
    await writeFile(ticker, script)
    const libraries = (await must('ldd', [process.execPath])).match(/\/\S+/g) ?? []
    const files = Object.fromEntries(
      libraries.map((path) => [path.replace(/:$/, ''), path.replace(/:$/, '')]),
    )
    const tag = `icebox-bench-${bench.mark}-node:1`
    await makeBusyboxImage(tag, { files: { ...files, node: process.execPath, 'ticker.cjs': ticker } })
    return tag
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
