import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LayerFile } from '../../portable.ts'
import { isFolder, TREES } from '../live-trees.ts'
import { TO_TREE } from './image-paths.ts'
import { clearTheWay, emptySurvey, notOurs, surveyed } from './survey-layer.ts'
import { feedTar, type TarProgram } from './tar-program.ts'

/**
 * Unpacks the layers of a host bottle's image, bottom first, into a fresh private folder as `workspace` and `home`.
 * Owner of everything is this user. The layers were verified before; still nothing is written through a link.
 * @param mayBeEmpty true where an image need not have the folders
 * @throws BottleError `unsupported` when the image holds anything else than the two trees
 */
export async function unpackTrees(
  target: string,
  layers: readonly LayerFile[],
  program: TarProgram,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
  mayBeEmpty = false,
): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 })
  if (mayBeEmpty) for (const tree of TREES) await mkdir(join(target, tree), { mode: 0o700 })
  for (const [index, layer] of layers.entries()) {
    if (index > 0) await clearTheWay(target, await surveyOf(layer, signal))
    const archive = counted(surveyed(layer.open(signal), emptySurvey()), onBytes)
    await feedTar(program, { args: argumentsFor(program), cwd: target, signal, archive })
  }
  const found = await readdir(target)
  for (const tree of TREES) if (!(await isFolder(join(target, tree)))) throw notOurs()
  if (found.length !== TREES.length) throw notOurs()
}

async function surveyOf(layer: LayerFile, signal: AbortSignal) {
  const survey = emptySurvey()
  for await (const _chunk of surveyed(layer.open(signal), survey)) signal.throwIfAborted()
  return survey
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    yield chunk
    onBytes(chunk.length)
  }
}

/** No option lets tar follow a link or write outside of its folder. Whiteouts were obeyed before. */
function argumentsFor(program: TarProgram): readonly string[] {
  const common = ['-x', '-p', '-f', '-', '--no-same-owner', '--exclude', '*/.wh.*']
  if (program.kind === 'bsd') return [...common, ...TO_TREE.flatMap((rule) => ['-s', `${rule.slice(1)}S`])]
  return [
    ...common,
    '--delay-directory-restore',
    '--no-acls',
    '--no-selinux',
    '--xattrs',
    '--xattrs-include=user.*',
    '--warning=no-timestamp',
    `--transform=flags=rhS;${TO_TREE.join(';')}`,
  ]
}
