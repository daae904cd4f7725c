import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import { planWorkspace, WORKSPACE_REMOVAL } from '../../../../src-main/agents/workspace/workspace-files.ts'
import { obstacleTo } from '../../../../src-main/backends/host/access-files.ts'
import { mergeHostFiles } from '../../../../src-main/backends/host/merge-host-files.ts'
import { agentWith } from '../../agents/turns/agent.ts'

let dir: string
let home: string
let workspace: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'merge-'))
  home = join(dir, 'home')
  workspace = join(dir, 'workspace')
  for (const folder of [home, workspace]) await mkdir(folder)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

function start(lifecycle: Partial<Lifecycle>) {
  const plan = planWorkspace({ agent: agentWith(lifecycle), skipPermissions: false, args: [] })
  if (!plan) throw new Error('the definition wants no files')
  return mergeHostFiles(plan.merged, home, workspace, null)
}
const withText = { runtime: null, workspace: { ...DEFAULT_LIFECYCLE.workspace, claudeMd: 'Ours.' } }

test('a CLAUDE.md that is a link is not replaced, and the start says so', async () => {
  await writeFile(join(workspace, 'AGENTS.md'), 'mine\n')
  await symlink('AGENTS.md', join(workspace, 'CLAUDE.md'))
  await expect(start(withText)).rejects.toMatchObject({
    code: 'manifest-invalid',
    message: expect.stringContaining('CLAUDE.md of the workspace is a symbolic link'),
  })
  await mergeHostFiles(WORKSPACE_REMOVAL, home, workspace, null)
  expect(await readlink(join(workspace, 'CLAUDE.md'))).toBe('AGENTS.md')
  expect(await readFile(join(workspace, 'AGENTS.md'), 'utf8')).toBe('mine\n')
  expect(await readdir(home)).toEqual([])
})

test('a linked .claude folder costs the hooks and no start', async () => {
  await mkdir(join(dir, 'elsewhere'))
  await symlink(join(dir, 'elsewhere'), join(workspace, '.claude'))
  expect(await start({ runtime: 'terminal' })).toEqual([expect.stringContaining('hooks')])
  expect(await readdir(join(dir, 'elsewhere'))).toEqual([])
})

test('what hinders from reading is told apart from what is not there', async () => {
  await mkdir(join(workspace, 'folder'))
  await writeFile(join(workspace, 'folder/plain'), '')
  await symlink('nowhere', join(workspace, 'dangling'))
  const at = (path: string) => obstacleTo(workspace, { base: 'workspace', path })
  expect(await at('folder/plain')).toBeNull()
  expect(await at('folder/none')).toBeNull()
  expect(await at('none/none')).toBeNull()
  expect(await at('dangling')).toBe('link')
  expect(await at('dangling/x')).toBe('link')
  expect(await at('folder')).toBe('other')
  expect(await at('folder/plain/x')).toBe('other')
})

test('a file without the right to read it is not missing', async ({ skip }) => {
  skip(process.getuid?.() === 0, 'root may read every file')
  await mkdir(join(workspace, 'shut'))
  await writeFile(join(workspace, 'CLAUDE.md'), 'mine\n', { mode: 0o000 })
  await chmod(join(workspace, 'shut'), 0o000)
  expect(await obstacleTo(workspace, { base: 'workspace', path: 'CLAUDE.md' })).toBe('unreadable')
  expect(await obstacleTo(workspace, { base: 'workspace', path: 'shut/x' })).toBe('unreadable')
  await expect(start(withText)).rejects.toMatchObject({ code: 'manifest-invalid' })
  await chmod(join(workspace, 'shut'), 0o700)
})
