import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeRunFolder, startHeadless } from '../../../../src-main/backends/local/start-runner.ts'
import { waitUntil } from '../../../../src-main/backends/local/wait-until.ts'
import { runPaths, type SmolRunPaths } from '../../../../src-main/backends/smolmachines/run-paths.ts'
import { runnerScript } from '../../../../src-main/backends/smolmachines/runner-script.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-runner-'))
})
afterAll(() => rm(home, { recursive: true }))

const never = new AbortController().signal
let runs = 0

/** A run whose `exec` and question are scripts of the test. */
async function startRun(exec: string, ask: string | null): Promise<SmolRunPaths> {
  runs += 1
  const run = runPaths(home, { slug: 'web', runId: `run${runs}` })
  const program = async (name: string, script: string) => {
    const path = join(home, `${name}-${runs}`)
    await writeFile(path, `#!/bin/sh\ncd ${run.dir}\n${script}\n`)
    await chmod(path, 0o755)
    return path
  }
  const question = ask === null ? null : [await program('ask', ask)]
  const argv = [await program('exec', exec)]
  await makeRunFolder(run, runnerScript(question))
  const env = { PATH: '/usr/bin:/bin' }
  const waiting = await startHeadless(run, { argv, env, cwd: '/', indexFile: join(home, 'index') })
  await waiting.go()
  return run
}

const exitOf = (run: SmolRunPaths) =>
  waitUntil([run.dir], 50, never, async () => {
    const text = (await readFile(run.exit, 'utf8')).trim()
    return text === '' ? undefined : (JSON.parse(text) as { exitCode: number | null; endedAt: string })
  })
const isThere = (path: string) =>
  readFile(path).then(
    () => true,
    () => false,
  )

it('writes down what the guest says, not what the connection says', async () => {
  const run = await startRun('echo out; echo err >&2; exit 1', 'echo 7')
  expect(await exitOf(run)).toMatchObject({ exitCode: 7, endedAt: expect.stringMatching(/^\d{4}-.*Z$/) })
  expect(await readFile(run.log, 'utf8')).toBe('out\nerr\n')
})

it('says that it does not know when the guest is gone', async () => {
  expect(await exitOf(await startRun('exit 1', 'echo "Error: vm not found" >&2; exit 1'))).toMatchObject({
    exitCode: null,
  })
})

it('takes the connection’s word where there is nobody to ask', async () => {
  expect(await exitOf(await startRun('exit 3', null))).toMatchObject({ exitCode: 3 })
})

it('begins the agent anew after a hold, and only then', async () => {
  // The first time the machine goes away under it, the second time it ends by itself.
  const exec = 'echo begun; [ -e again ] && exit 0; : >again; : >hold; exit 1'
  const run = await startRun(exec, '[ -e hold ] || [ ! -e released ] || echo 0')
  await waitUntil([run.dir], 50, never, async () => ((await isThere(run.held)) ? true : undefined))
  expect((await readFile(run.exit, 'utf8')).trim()).toBe('')
  await writeFile(join(run.dir, 'released'), '')
  await rm(run.hold)
  expect(await exitOf(run)).toMatchObject({ exitCode: 0 })
  expect(await readFile(run.log, 'utf8')).toBe('begun\nbegun\n')
  expect(await isThere(run.held)).toBe(false)
})

it('takes an end that the guest knows of for the end, hold or not', async () => {
  const run = await startRun(': >hold; exit 5', 'echo 5')
  expect(await exitOf(run)).toMatchObject({ exitCode: 5 })
})

it('waits for a release also where there is nobody to ask', async () => {
  const run = await startRun('[ -e again ] && exit 4; : >again; : >hold; exit 1', null)
  await waitUntil([run.dir], 50, never, async () => ((await isThere(run.held)) ? true : undefined))
  await rm(run.hold)
  expect(await exitOf(run)).toMatchObject({ exitCode: 4 })
})
