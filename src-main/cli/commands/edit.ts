import type { ManifestFile, ManifestIndex } from '../../agents/manifest-scan.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { pick } from '../ask.ts'
import type { Face } from '../face.ts'
import { withIcebox } from '../session.ts'
import { requireTerminal } from '../terminal.ts'
import { usageError } from '../usage.ts'
import { problemText } from './validate.ts'

const BOTTLE_PREFIX = 'bottle/'

/** `icebox edit`: opens an agent, or `bottle/NAME`, in the user's editor and tells what is wrong with it after. */
export async function edit(face: Face, name: string | undefined): Promise<number> {
  requireTerminal(face, 'The files are in the folders agents and bottles of the state root.')
  return withIcebox(face, async (icebox) => {
    const { agentProblems, openManifestIndex, validateManifests } = await import(
      '../../agents/manifest-index.ts'
    )
    const index = await openManifestIndex(icebox.root, face.cwd)
    const wanted = name ?? (await pick(face, 'manifest', choices(index)))
    const found = await findManifest(index, wanted)
    await openEditor(face, found.file)
    const now = await openManifestIndex(icebox.root, face.cwd)
    const all =
      found.source === 'path' ? await agentProblems(now, found) : await validateManifests(now, found.name)
    const problems = all.filter((problem) => problem.file === found.file)
    await face.result({
      json: { file: found.file, problems },
      text: problems.map((problem) => problemText(face, problem)).join('\n'),
      essential: found.file,
    })
    if (problems.length > 0) throw bottleError('manifest-invalid', `${found.file} was kept and has errors.`)
    return 0
  })
}

function choices(index: ManifestIndex): readonly { value: string; label: string; hint: string }[] {
  return [
    ...[...index.agents.values()].map(({ name, file }) => ({ value: name, label: name, hint: file })),
    ...[...index.bottles.values()].map(({ name, file }) => ({
      value: BOTTLE_PREFIX + name,
      label: BOTTLE_PREFIX + name,
      hint: file,
    })),
  ]
}

async function findManifest(index: ManifestIndex, wanted: string): Promise<ManifestFile> {
  const { requireAgent } = await import('../../agents/manifest-index.ts')
  if (!wanted.startsWith(BOTTLE_PREFIX)) return requireAgent(index, wanted)
  const found = index.bottles.get(wanted.slice(BOTTLE_PREFIX.length))
  if (found) return found
  throw bottleError('not-found', `There is no bottle definition ${JSON.stringify(wanted.slice(0, 60))}.`)
}

/** The editor has the terminal until it is closed, however long that takes. */
async function openEditor(face: Face, file: string): Promise<void> {
  const line = face.env.VISUAL || face.env.EDITOR || 'vi'
  // Editors are configured with arguments (`code --wait`), never with shell syntax here.
  const [program, ...args] = line.split(/\s+/).filter((word) => word !== '')
  if (!program) throw usageError('$VISUAL and $EDITOR are blank.')
  const { spawn } = await import('node:child_process')
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(program, [...args, file], { stdio: 'inherit' })
    child.once('error', (cause) =>
      reject(bottleError('not-found', `The editor ${program} can't be started.`, { cause })),
    )
    child.once('exit', resolve)
  })
  if (code !== 0)
    throw bottleError('cancelled', `${program} ended with ${code ?? 'a signal'}; ${file} is as it left it.`)
}
