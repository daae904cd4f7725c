import { delimiter } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BackendName } from '../../src-preload/contract/index.ts'
import { until } from '../engine/conformance/suite.ts'
import { type ContainerWorld, makeContainerWorld } from '../support/container-double.ts'
import { ensureBusyboxImage } from '../support/images.ts'
import { makeSmolWorld, type SmolWorld } from '../support/smolvm-double.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const never = new AbortController().signal

const MAKE = [
  'echo docker > marker',
  'mkdir -p deep && ln -s ../marker deep/link && ln marker deep/hard',
  'echo tool > tool && chmod 750 tool',
  'echo stored > data/store',
  'mkdir -p /opt/own && echo outside > /opt/own/outside && chown 12:34 /opt/own/outside',
].join('; ')
const TELL = 'cat marker deep/link; stat -c "%a" tool; stat -c "%h" marker; pwd; echo "$KEPT"; cat data/store'

describe('a snapshot of Docker on every other engine, and back', () => {
  let containers: ContainerWorld
  let machines: SmolWorld
  let tests: TestBottles

  beforeAll(async () => {
    containers = await makeContainerWorld('1.2.2')
    machines = await makeSmolWorld('1.23.0')
    const PATH = [containers.double.binDir, machines.double.binDir, process.env.PATH ?? ''].join(delimiter)
    const env = { ...process.env, PATH }
    const bottle = `backend: docker\nimage: ${await ensureBusyboxImage()}\nenv:\n  KEPT: plain\nmounts:\n  - data:/workspace/data`
    tests = await makeTestBottles(bottle, undefined, env)
  })
  afterAll(async () => {
    await tests.dispose()
    await containers.double.dispose()
    await machines.double.dispose()
  })

  const resumeOn = async (target: string, script: string, backend?: BackendName) => {
    const [slug = '', snapshot] = target.split('@')
    const request = { slug, snapshot, backend, mode: 'headless', prompt: script } as const
    const { exitCode } = await tests.icebox.bottles.resume(request, tests.context())
    return { exitCode, output: await tests.output(slug) }
  }
  /** Resumes and returns once it runs. */
  const goOn = (slug: string, script: string) =>
    new Promise<{ ended: Promise<unknown> }>((resolve, reject) => {
      const ended: Promise<unknown> = tests.icebox.bottles.resume(
        { slug, mode: 'headless', prompt: script, onLaunched: () => resolve({ ended }) },
        tests.context(),
      )
      ended.catch(reject)
    })
  const backendOf = async (slug: string) =>
    (await tests.icebox.bottles.list(never)).find((bottle) => bottle.slug === slug)?.backend

  const others: readonly BackendName[] = ['macos-container', 'smolmachines', 'host']
  it.each(others)('%s', async (backend) => {
    const { slug, exitCode } = await tests.run(MAKE, `to-${backend}`)
    expect(exitCode).toBe(0)
    const there = await resumeOn(slug, `${TELL}; echo ${backend} >> marker; rm tool`, backend)
    const place = backend === 'host' ? `${tests.home.dir}/state/${slug}/live/workspace` : '/workspace'
    expect(there).toMatchObject({ exitCode: 0, output: `docker\ndocker\n750\n2\n${place}\nplain\nstored\n` })
    expect(await backendOf(slug)).toBe(backend)
    if (backend !== 'host')
      expect(tests.notices.join('\n')).toContain('become plain folders: /workspace/data.')

    const back = await resumeOn(
      slug,
      'cat marker data/store; ls tool; cat /opt/own/outside; stat -c "%u:%g" /opt/own/outside',
      'docker',
    )
    expect(back.output.split('\n').filter((line) => !line.startsWith('ls:'))).toEqual([
      'docker',
      backend,
      'stored',
      'outside',
      '12:34',
      '',
    ])
    expect(await backendOf(slug)).toBe('docker')
    expect(containers.containersOf(slug)).toEqual([])
    expect(machines.machines().filter(({ name }) => name.includes(slug))).toEqual([])
  })

  it('travels on from one to the other', async () => {
    const { slug } = await tests.run('echo docker > marker', 'round')
    expect(await resumeOn(slug, 'echo machine >> marker', 'smolmachines')).toMatchObject({ exitCode: 0 })
    // A machine that is frozen while it runs is frozen with its memory, which stays behind.
    const { ended } = await goOn(slug, 'echo running >> marker; echo ready; sleep 300')
    await until(async () => (await tests.output(slug)).includes('ready'))
    const { snapshot } = await tests.icebox.bottles.freeze({ slug }, tests.context())
    expect(snapshot.fidelity).toBe('files+memory')
    await tests.icebox.bottles.stop(slug, { graceSeconds: 1 }, tests.context())
    await ended
    const target = `${slug}@${snapshot.id}`
    const there = await resumeOn(target, 'echo container >> marker; cat marker', 'macos-container')
    expect(there.output).toBe('docker\nmachine\nrunning\ncontainer\n')
    expect(tests.notices.join('\n')).toMatch(/its memory, as .* keeps it, does not/)
    const plan = { slug, mode: 'headless', prompt: 'true', backend: 'smolmachines' } as const
    const { differences } = await tests.icebox.bottles.planResume(plan, never)
    // What the container wrote is in no snapshot yet.
    expect(differences?.map(({ about, blocks }) => [about, blocks])).toEqual([['files', false]])
  })
})
