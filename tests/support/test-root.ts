import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { removeTree } from '../../src-main/state/remove-tree.ts'
import { openStateRoot, type StateRoot } from '../../src-main/state/root.ts'

/** A temp folder that goes with the test. */
export async function tempFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'icebox-unit-'))
  onTestFinished(() => removeTree(dir))
  return dir
}

/** An opened state root that goes with the test. */
export async function testRoot(): Promise<StateRoot> {
  return openStateRoot(join(await tempFolder(), 'root'))
}
