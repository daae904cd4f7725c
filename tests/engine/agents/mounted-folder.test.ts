import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { must } from '../../support/busybox-image.ts'
import { scriptedImage } from '../../support/scripted-agent/scripted-agent.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

const MINE = '{"mcpServers": {"mine": {"command": "x"}}}'

let bottles: TestBottles
let folder: string

beforeAll(async () => {
  const image = await scriptedImage()
  bottles = await makeTestBottles(`image: ${image}\nbackend: docker`)
  folder = join(bottles.home.dir, 'project')
  await mkdir(folder)
  const mounts = `mounts: [{ type: bind, source: ${folder}, target: /workspace }]`
  await bottles.home.writeBottle(
    'mounted',
    `image: ${image}\nbackend: docker\nworkdir: /workspace\n${mounts}`,
  )
  const servers = 'mcp_servers: { helper: { command: helper } }'
  const front = `provider: claude\nbottle: mounted\nruntime: terminal\n${servers}`
  await bottles.home.writeAgent('mounted', front)
})
afterAll(() => bottles.dispose())

async function launch(): Promise<string> {
  const request = { agent: 'mounted', mode: 'headless', label: 'm', allowMissingSecrets: true } as const
  const cwd = join(bottles.home.dir, 'cwd')
  return (await bottles.icebox.bottles.start({ ...request, cwd }, bottles.context())).slug
}

async function start(): Promise<string> {
  await writeFile(join(folder, '.mcp.json'), MINE)
  const slug = await launch()
  expect(await readFile(join(folder, '.mcp.json'), 'utf8')).toContain('helper')
  expect(await readdir(join(folder, '.claude'))).toEqual(['settings.local.json'])
  return slug
}

async function expectMine(): Promise<void> {
  expect(await readFile(join(folder, '.mcp.json'), 'utf8')).toBe(MINE)
  expect(await readdir(join(folder, '.claude'))).toEqual([])
}

it('a user’s own folder is as it was after a destroy', async () => {
  const slug = await start()
  await bottles.icebox.bottles.destroy({ slug, force: true }, bottles.context())
  await expectMine()
})

it('and after the agent ended by itself', async () => {
  const slug = await start()
  await must('docker', ['kill', `bot-bottle-${slug}`])
  await bottles.icebox.bottles.waitForExit(slug, new AbortController().signal)
  await expectMine()
})

it('a link there is neither followed nor replaced, and a linked .claude costs the hooks alone', async () => {
  const mcp = join(folder, '.mcp.json')
  await rm(mcp)
  await writeFile(join(folder, 'servers.json'), MINE)
  await symlink('servers.json', mcp)
  await expect(launch()).rejects.toMatchObject({ code: 'manifest-invalid' })
  expect(await readlink(mcp)).toBe('servers.json')
  expect(await readFile(mcp, 'utf8')).toBe(MINE)
  await rm(mcp)
  await rm(join(folder, '.claude'), { recursive: true })
  await mkdir(join(folder, 'elsewhere'))
  await symlink('elsewhere', join(folder, '.claude'))
  const slug = await launch()
  expect(bottles.notices.join('\n')).toMatch(/without its hooks.*settings\.local\.json .* symbolic link/)
  await bottles.icebox.bottles.destroy({ slug, force: true }, bottles.context())
  expect(await readdir(join(folder, 'elsewhere'))).toEqual([])
  expect(await readdir(folder)).not.toContain('.mcp.json')
})
