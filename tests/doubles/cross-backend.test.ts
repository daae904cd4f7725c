import { delimiter } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BackendName } from '../../src-preload/contract/index.ts'
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

  const resumeOn = async (slug: string, script: string, backend?: BackendName) => {
    const request = { slug, backend, mode: 'headless', prompt: script } as const
    const { exitCode } = await tests.icebox.bottles.resume(request, tests.context())
    return { exitCode, output: await tests.output(slug) }
  }
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
    const there = await resumeOn(slug, 'echo container >> marker; cat marker', 'macos-container')
    expect(there.output).toBe('docker\nmachine\ncontainer\n')
    const plan = { slug, mode: 'headless', prompt: 'true', backend: 'smolmachines' } as const
    const { differences } = await tests.icebox.bottles.planResume(plan, never)
    expect(differences?.filter(({ blocks }) => blocks)).toEqual([])
  })
})
