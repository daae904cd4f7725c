import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
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

async function start(): Promise<string> {
  await writeFile(join(folder, '.mcp.json'), MINE)
  const request = { agent: 'mounted', mode: 'headless', label: 'm', allowMissingSecrets: true } as const
  const cwd = join(bottles.home.dir, 'cwd')
  const { slug } = await bottles.icebox.bottles.start({ ...request, cwd }, bottles.context())
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
