import { basename, dirname, resolve } from 'node:path'
import type { ManifestIndex } from '../../agents/manifest-scan.ts'
import type { ManifestProblem } from '../../agents/problems.ts'
import type { Icebox } from '../../icebox.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Face } from '../face.ts'
import { cwdFlag } from '../run-flags.ts'
import { withIcebox } from '../session.ts'
import { plural } from '../units.ts'
import { oneLine } from '../width.ts'

/** `icebox validate`: every error of every manifest at once, or of those that are named. */
export async function validate(
  face: Face,
  names: readonly string[],
  flags: { readonly cwd?: string },
): Promise<number> {
  const cwd = await cwdFlag(face, flags.cwd)
  const problems = await withIcebox(face, (icebox) => findProblems(icebox, cwd, names))
  await face.result({
    json: { ok: problems.length === 0, problems },
    text:
      problems.length === 0 ? 'No errors.' : problems.map((problem) => problemText(face, problem)).join('\n'),
    essential: problems.map(({ file, line }) => `${file}:${line}`).join('\n'),
  })
  if (problems.length === 0) return 0
  const files = new Set(problems.map((problem) => problem.file)).size
  throw bottleError(
    'manifest-invalid',
    `${plural(problems.length, 'error')} in ${plural(files, 'manifest')}.`,
  )
}

async function findProblems(
  icebox: Icebox,
  cwd: string,
  names: readonly string[],
): Promise<readonly ManifestProblem[]> {
  const { openManifestIndex, validateManifests } = await import('../../agents/manifest-index.ts')
  const index = await openManifestIndex(icebox.root, cwd)
  if (names.length === 0) return validateManifests(index)
  const found = await Promise.all(
    names.map((name) =>
      isPath(name) ? fileProblems(index, resolve(cwd, name)) : validateManifests(index, name),
    ),
  )
  return found.flat()
}

function isPath(name: string): boolean {
  return /\/|\.(md|ya?ml)$/.test(name)
}

/** A Markdown file that lies in a folder called `bottles` is a bottle definition, any other file an agent. */
async function fileProblems(index: ManifestIndex, file: string): Promise<readonly ManifestProblem[]> {
  const { loadAgent, loadBottleLayer, readManifestText } = await import('../../agents/load-manifest.ts')
  const read = await readManifestText(file)
  if (!read.ok) throw bottleError('not-found', `${file}: ${read.reason}`)
  const name = basename(file, '.md')
  const isBottle = basename(dirname(file)) === 'bottles' && file.endsWith('.md')
  const parsed = isBottle
    ? await loadBottleLayer(index, { kind: 'bottle', name, file, source: 'home', hides: null })
    : await loadAgent(index, { name, file, source: 'path' })
  return parsed.ok ? [] : parsed.problems
}

/** `file:line: message hint`, as editors jump to it. */
export function problemText(face: Pick<Face, 'paint'>, problem: ManifestProblem): string {
  const place = face.paint('bold', `${problem.file}:${problem.line}:`)
  return `${place} ${oneLine(problem.message)}${problem.hint ? ` ${face.paint('dim', oneLine(problem.hint))}` : ''}`
}
