import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BackendName, Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { makeTestBottles, SHELL_AGENT, type TestBottles } from '../../support/test-bottles.ts'

const never = new AbortController().signal

/** Makes a file, a mode, a link, and takes away what the image had. */
const MAKE = [
  'echo first > marker',
  'mkdir -p deep/er',
  'ln -s ../marker deep/link',
  'ln marker deep/hard',
  'echo "#!/bin/sh" > tool; chmod 750 tool',
  'rm gone',
  'echo said > "$HOME/.memory"',
  'echo outside > /opt/own/outside',
].join('; ')

/** Tells all of that in one line each. */
const TELL = [
  'cat marker deep/link deep/hard',
  'stat -c "%a %h" tool marker',
  'ls gone 2>/dev/null || echo no gone',
  'cat "$HOME/.memory"',
].join('; ')
const TOLD = 'first\nfirst\nfirst\n750 1\n644 2\nno gone\nsaid\n'

/** An image with a user and folders of its own, as agents' images have them. */
async function buildImage(lines: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'icebox-cross-'))
  const tag = `icebox-test/cross-${process.pid}:1`
  await writeFile(join(folder, 'Dockerfile'), [`FROM ${await ensureBusyboxImage()}`, ...lines].join('\n'))
  await must('docker', ['build', '-q', '-t', tag, folder])
  await rm(folder, { recursive: true })
  return tag
}

describe('a bottle that goes on elsewhere', () => {
  let tests: TestBottles
  let image: string
  beforeAll(async () => {
    image = await buildImage([
      'RUN mkdir -p /srv/work /home/me && echo old > /srv/work/gone && echo base > /srv/work/kept',
      'RUN echo "me:x:1234:1234::/home/me:/bin/sh" >> /etc/passwd',
      'RUN mkdir -p /opt/own && chown -R 1234:1234 /srv/work /home/me /opt/own',
      'USER me',
      'WORKDIR /srv/work',
    ])
    tests = await makeTestBottles(`image: ${image}\nbackend: docker`)
  })
  afterAll(async () => {
    await tests.dispose()
    await must('docker', ['rmi', '-f', image])
  })

  const resumeOn = async (target: string, script: string, backend?: BackendName) => {
    const [slug = '', snapshot] = target.split('@')
    const { exitCode } = await tests.icebox.bottles.resume(
      { slug, snapshot, backend, mode: 'headless', prompt: script },
      tests.context(),
    )
    return exitCode
  }
  const freeze = async (slug: string): Promise<Snapshot> =>
    (await tests.icebox.bottles.freeze({ slug }, tests.context())).snapshot
  const row = async (slug: string) =>
    (await tests.icebox.bottles.list(never)).find((bottle) => bottle.slug === slug)

  it('goes to this machine and back with its work, and nothing is made twice', async () => {
    const { slug, exitCode } = await tests.run(MAKE, 'traveller')
    expect(exitCode).toBe(0)
    expect(await resumeOn(slug, TELL, 'host')).toBe(0)
    expect(await tests.output(slug)).toBe(TOLD)
    expect(await row(slug)).toMatchObject({ backend: 'host' })
    const [frozen, carried] = await tests.icebox.bottles.snapshots(slug)
    expect(frozen).toMatchObject({ backend: 'docker', reason: 'before-resume' })
    expect(carried).toMatchObject({
      backend: 'host',
      reason: 'carried',
      parent: frozen?.id,
      fidelity: 'files',
    })
    expect(carried?.leftOut).toEqual(['files outside /srv/work and /home/me', '/opt/own/outside'])
    expect((await row(slug))?.currentSnapshot).toBe(carried?.id)

    expect(await resumeOn(slug, 'echo second > marker; rm tool; echo new > here; cat kept')).toBe(0)
    expect(await tests.output(slug)).toBe('base\n')
    const script =
      'cat marker here kept; ls tool 2>/dev/null; stat -c %u here; cat /opt/own/outside; pwd; id -u'
    expect(await resumeOn(slug, script, 'docker')).toBe(0)
    expect(await tests.output(slug)).toBe('second\nnew\nbase\n1234\noutside\n/srv/work\n1234\n')
    expect(await row(slug)).toMatchObject({ backend: 'docker' })
    const live = await readdir(join(tests.home.dir, 'state', slug))
    expect(live).not.toContain('live')
  })

  it('takes what it has there already, both ways', async () => {
    const { slug } = await tests.run('echo same > marker', 'twice')
    const source = await freeze(slug)
    expect(await resumeOn(slug, 'true', 'host')).toBe(0)
    const one = await tests.icebox.bottles.snapshots(slug)
    expect(one.map(({ reason }) => reason)).toEqual(['user', 'carried'])
    // Going back from what came from there is going on from where it left.
    expect(await resumeOn(`${slug}@${one[1]?.id}`, 'cat marker', 'docker')).toBe(0)
    expect(await tests.output(slug)).toBe('same\n')
    expect(await row(slug)).toMatchObject({ backend: 'docker' })
    const { runs } = await tests.icebox.bottles.detail(slug, never)
    expect(runs.at(-1)?.fromSnapshot).toBe(source.id)
    expect(await resumeOn(`${slug}@${source.id}`, 'cat marker', 'host')).toBe(0)
    // Named without a backend, a snapshot resumes where it was made.
    expect(await resumeOn(`${slug}@${source.id}`, 'cat marker')).toBe(0)
    expect(await row(slug)).toMatchObject({ backend: 'docker' })
    const reasons = (await tests.icebox.bottles.snapshots(slug)).map(({ reason }) => reason)
    expect(reasons.filter((reason) => reason === 'carried')).toHaveLength(1)
  })

  it('forks to another backend, and the source stays where it is', async () => {
    const { slug } = await tests.run('echo seed > marker', 'origin')
    await freeze(slug)
    const forks = await tests.icebox.bottles.fork(
      { slug, count: 2, mode: 'headless', prompt: 'cat marker', cwd: tests.home.dir, backend: 'host' },
      tests.context(),
    )
    for (const made of forks) {
      expect(made.exitCode).toBe(0)
      expect(await tests.output(made.slug)).toBe('seed\n')
      expect(await row(made.slug)).toMatchObject({ backend: 'host' })
    }
    expect(await row(slug)).toMatchObject({ backend: 'docker' })
    const [first] = forks
    expect(await resumeOn(first?.slug ?? '', 'echo more >> marker')).toBe(0)
    expect(await resumeOn(first?.slug ?? '', 'cat marker; pwd', 'docker')).toBe(0)
    expect(await tests.output(first?.slug ?? '')).toBe('seed\nmore\n/srv/work\n')
  })

  it('begins on this machine and goes on over the image of its definition', async () => {
    const run = await tests.icebox.bottles.start(
      {
        agent: 'shell',
        mode: 'headless',
        prompt: 'echo host > marker; echo h > ~/note',
        label: 'native',
        backend: 'host',
        cwd: tests.home.dir,
      },
      tests.context(),
    )
    expect(
      await resumeOn(run.slug, 'cat marker ~/note kept 2>&1; pwd; stat -c %u marker', 'docker'),
    ).not.toBeNull()
    // The workspace is what it was on this machine: files of the image's working folder do not show through.
    expect(await tests.output(run.slug)).toMatch(/^host\nh\n.*kept.*\n\/srv\/work\n1234\n$/)
  })

  it('takes volumes along where they lie in what comes along, and has them again in the container', async () => {
    await tests.home.writeBottle(
      'stores',
      `image: ${image}\nbackend: docker\nuser: root\nmounts:\n  - inner:/srv/work/inner\n  - outer:/outer`,
    )
    const { slug } = await tests.icebox.bottles.start(
      {
        agent: 'shell',
        bottles: ['stores'],
        mode: 'headless',
        prompt: 'echo in > inner/a; echo out > /outer/b',
        label: 'stores',
        cwd: tests.home.dir,
      },
      tests.context(),
    )
    const source = await freeze(slug)
    expect(source.volumes.map(({ destination }) => destination).sort()).toEqual(['/outer', '/srv/work/inner'])
    expect(await resumeOn(slug, 'cat inner/a; echo more >> inner/a', 'host')).toBe(0)
    expect(await tests.output(slug)).toBe('in\n')
    expect(await resumeOn(slug, 'cat inner/a /outer/b', 'docker')).toBe(0)
    expect(await tests.output(slug)).toBe('in\nmore\nout\n')
    const back = (await tests.icebox.bottles.snapshots(slug)).at(-1)
    expect(back).toMatchObject({ fidelity: 'files+volumes', reason: 'carried' })
    expect(back?.volumes.map(({ destination }) => destination)).toEqual(['/outer'])
  })

  it('leaves nothing of a way that was broken off, and nothing in the store of one that was gone', async () => {
    const { slug } = await tests.run('echo safe > marker', 'broken')
    const source = await freeze(slug)
    const stop = new AbortController()
    const seen: string[] = []
    const going = tests.icebox.bottles.resume(
      { slug, mode: 'headless', prompt: 'cat marker', backend: 'host' },
      {
        ...tests.context({ signal: stop.signal }),
        progress: ({ phase }) => {
          seen.push(phase)
          if (phase === 'reading layers') stop.abort()
        },
      },
    )
    await expect(going).rejects.toMatchObject({ code: 'cancelled' })
    expect(seen).toContain('reading layers')
    expect(await row(slug)).toMatchObject({ backend: 'docker', currentSnapshot: source.id, state: 'frozen' })
    expect(await tests.icebox.bottles.snapshots(slug)).toHaveLength(1)
    const folder = join(tests.home.dir, 'state', slug)
    expect(await readdir(folder)).not.toContain('intent.json')
    expect(await readdir(join(folder, 'snapshots'))).toEqual([`${source.id}.json`])
    expect(await resumeOn(slug, 'cat marker', 'host')).toBe(0)
    expect(await tests.output(slug)).toBe('safe\n')
    expect((await tests.icebox.artifacts.usage(never)).storeBytes).toBe(0)
  })

  it('names every difference before anything happens, and stops when a person does not agree', async () => {
    const { slug } = await tests.run('echo calm > marker', 'asked')
    const unfrozen = await tests.icebox.bottles.planResume(
      { slug, mode: 'headless', prompt: 'true', backend: 'host' },
      never,
    )
    expect(unfrozen.differences?.map(({ about }) => about)).toEqual(['isolation', 'user', 'files'])
    const before = await freeze(slug)
    const plan = await tests.icebox.bottles.planResume(
      { slug, mode: 'headless', prompt: 'true', backend: 'host' },
      never,
    )
    const texts = plan.differences?.map(({ text }) => text) ?? []
    expect(texts.join('\n')).toMatch(/Only \/srv\/work and the home of me come along/)
    expect(plan.differences?.map(({ about }) => about)).toEqual(['isolation', 'files', 'user'])
    const seen: string[][] = []
    await tests.home.writeAgent('stranger', SHELL_AGENT.replaceAll('[sh, -c', '[no-such-program, -c'))
    const stranger = { slug, count: 1, mode: 'headless', prompt: 'true', agent: 'stranger' } as const
    const forking = tests.icebox.bottles.fork(
      { ...stranger, cwd: tests.home.dir, backend: 'host' },
      tests.context(),
    )
    await expect(forking).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('no-such-program is not on this machine'),
    })
    const declined = tests.icebox.bottles.resume(
      {
        slug,
        mode: 'headless',
        prompt: 'true',
        backend: 'host',
        agree: async (differences) => {
          seen.push(differences.map(({ text }) => text))
          return false
        },
      },
      tests.context(),
    )
    await expect(declined).rejects.toMatchObject({ code: 'cancelled' })
    expect(seen).toEqual([texts])
    expect(await row(slug)).toMatchObject({ backend: 'docker', currentSnapshot: before.id, state: 'frozen' })
    expect(await tests.icebox.bottles.snapshots(slug)).toHaveLength(1)
  })
})
