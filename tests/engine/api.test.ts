import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BottleError, destroy, freeze, resumeHeadless, startHeadless } from '../../src-main/api.ts'
import { must } from '../support/busybox-image.ts'
import { ensureBusyboxImage } from '../support/images.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

describe.each(['docker', 'host'])('the API on %s', (backend) => {
  let tests: TestBottles
  let home: string
  beforeAll(async () => {
    const image = await ensureBusyboxImage()
    tests = await makeTestBottles(
      backend === 'docker' ? `backend: docker\nimage: ${image}\nworkdir: /work` : 'backend: host',
    )
    home = tests.home.dir
  })
  afterAll(() => tests.dispose())

  const throwAway = async (slug: string): Promise<void> => {
    if (backend === 'docker') await must('docker', ['rm', '-f', `bot-bottle-${slug}`])
    else
      for (const part of ['live', 'run'])
        await rm(join(home, 'state', slug, part), { recursive: true, force: true })
  }

  it('takes a bottle through its life: start, freeze, loss, resume, destroy', async () => {
    const slug = await startHeadless('shell', { prompt: 'echo treasure > marker', home, label: 'api' })
    const snapshot = await freeze(slug, { home, note: 'first' })
    expect(snapshot).toMatchObject({ slug, backend, note: 'first' })
    await throwAway(slug)
    await resumeHeadless(slug, { prompt: 'test "$(cat marker)" = treasure', home })
    await destroy(slug, { home })
    await destroy(slug, { home })
    await expect(resumeHeadless(slug, { prompt: 'true', home })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('gives the failing agent’s code and the slug as fields, and the bottle is kept', async () => {
    const failing = startHeadless('shell', { prompt: 'echo kept > marker; exit 7', home, label: 'seven' })
    await expect(failing).rejects.toBeInstanceOf(BottleError)
    const thrown = (await failing.catch((error: unknown) => error)) as BottleError
    expect(thrown).toMatchObject({ code: 'agent-exited', exitCode: 7, slug: 'seven' })
    await freeze('seven', { home })
    await resumeHeadless('seven', { prompt: 'test "$(cat marker)" = kept', home })
  })

  it('numbers a taken label, and takes an empty bottle list as not given', async () => {
    const first = await startHeadless('shell', { prompt: 'true', home, label: 'twice', bottles: [] })
    const second = await startHeadless('shell', { prompt: 'true', home, label: 'twice' })
    expect([first, second]).toEqual(['twice', 'twice-2'])
  })

  it('fails with a code for each wrong input, before any side effect', async () => {
    const started = (options: Partial<Parameters<typeof startHeadless>[1]>, agent = 'shell') =>
      startHeadless(agent, { prompt: 'true', home, ...options })
    await expect(started({}, 'nobody')).rejects.toMatchObject({ code: 'not-found' })
    await expect(started({ backend: 'podman' })).rejects.toMatchObject({ code: 'unknown-backend' })
    await expect(started({ prompt: '' })).rejects.toMatchObject({ code: 'usage' })
    await expect(started({ cwd: join(home, 'nowhere') })).rejects.toMatchObject({ code: 'not-found' })
    await expect(started({ bottles: ['nobody'] })).rejects.toMatchObject({ code: expect.any(String) })
    await expect(freeze('../x', { home })).rejects.toMatchObject({ code: 'invalid-slug' })
    await expect(destroy('', { home })).rejects.toMatchObject({ code: 'invalid-slug' })
    await expect(started({ forgeEnv: { A: 'b' } })).rejects.toMatchObject({ code: 'forge-sidecar-missing' })
  })

  it('stops waiting when its signal aborts, and the bottle keeps running', async () => {
    const controller = new AbortController()
    const slug = 'aborted'
    const waiting = startHeadless('shell', {
      prompt: 'sleep 300',
      home,
      label: slug,
      signal: controller.signal,
    })
    const isRunning = async () => {
      const rows = await tests.icebox.bottles.list(new AbortController().signal)
      return rows.some((row) => row.slug === slug && row.state === 'running')
    }
    while (!(await isRunning())) await new Promise((resolve) => setTimeout(resolve, 50))
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled', slug })
    expect(await isRunning()).toBe(true)
    await destroy(slug, { home })
  })
})
