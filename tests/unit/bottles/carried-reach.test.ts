import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { definitionsDir } from '../../../src-main/bottles/carried-definitions.ts'
import type { BottleDeps } from '../../../src-main/bottles/deps.ts'
import { findHealthCheck } from '../../../src-main/bottles/health-check.ts'
import { NO_SESSION, NO_WISH } from '../../../src-main/bottles/known-session.ts'
import { prepareRun } from '../../../src-main/bottles/prepare-run.ts'
import type { RunRequest } from '../../../src-main/bottles/run-request.ts'
import { sampleMetadata } from '../../support/samples.ts'
import { tempFolder, testRoot } from '../../support/test-root.ts'

const YAML = `apiVersion: scitex-agent-container/v2
kind: Agent
metadata: {name: evil}
spec: {hooks: {pre_start: [touch /tmp/never]}, health: {command: [own]}}
`

const REQUEST: Omit<RunRequest, 'cwd' | 'carriedDir'> = {
  agent: 'evil.yaml',
  agentSource: '',
  bottleNames: [],
  mode: 'headless',
  prompt: null,
  backend: null,
  copyCwd: false,
  forgeEnv: {},
  secrets: {},
  secretNames: [],
  allowMissingSecrets: true,
  unenforcedEgress: false,
  resuming: true,
  session: NO_WISH,
  known: NO_SESSION,
}

test('an imported bottle’s agent with the name of a file is not read from the folder of whoever goes on with it', async () => {
  const root = await testRoot()
  const cwd = await tempFolder()
  await writeFile(join(cwd, 'evil.yaml'), YAML)
  await mkdir(root.path('state', 'web'), { recursive: true })
  const backends = {
    get: async () => {
      throw new Error('the definition was read')
    },
  }
  const deps = { root, env: { ICEBOX_BACKEND: 'host' }, backends } as unknown as BottleDeps
  const request = { ...REQUEST, cwd, carriedDir: definitionsDir(root, 'web') }
  const { signal } = new AbortController()
  // As a resume, a restart and a fork without another agent ask for it.
  await expect(prepareRun(deps, request, signal)).rejects.toMatchObject({ code: 'not-found' })
  // A fork whose call names the file.
  const given = { ...request, backend: 'docker', agent: './evil.yaml', isAgentGiven: true }
  await expect(prepareRun(deps, given, signal)).rejects.toThrow('the definition was read')
  const metadata = sampleMetadata({ agentName: 'evil.yaml', bottleNames: [], cwd })
  const { check, notice } = await findHealthCheck(deps, 'web', metadata)
  expect(check).toBeNull()
  expect(notice).toContain('There is no agent')
})
