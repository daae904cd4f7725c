import type { AgentPath } from '../agent-access.ts'
import { type MergedFiles, mergeFiles } from '../merge-files.ts'
import { obstacleTo, readFile, removeFile, writeFile } from './access-files.ts'
import { insideWorkspace } from './home-files.ts'

/** Merges files of a bottle's home and working folder while nothing of it runs. Resolves with notices. @throws BottleError */
export async function mergeHostFiles(
  merged: MergedFiles,
  home: string,
  workspace: string,
  workdir: string | null,
): Promise<readonly string[]> {
  const inside = insideWorkspace(workdir)
  const baseOf = ({ base }: AgentPath) => (base === 'home' ? home : workspace)
  const placed = (file: AgentPath): AgentPath =>
    file.base === 'home' || inside === '' ? file : { base: 'workspace', path: `${inside}/${file.path}` }
  return mergeFiles(merged, {
    async read(file) {
      const blocked = await obstacleTo(baseOf(file), placed(file))
      return blocked ? { blocked } : readFile(baseOf(file), placed(file), null)
    },
    write: (file, content) => writeFile(baseOf(file), placed(file), content),
    remove: (file) => removeFile(baseOf(file), placed(file)),
  })
}
