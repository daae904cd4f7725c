import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { canary, type HostWorld, never, openHostWorld, textOf, until } from './host-fixture.ts'

const worlds: HostWorld[] = []
const open = async (options?: Parameters<typeof openHostWorld>[0]): Promise<HostWorld> => {
  const world = await openHostWorld(options)
  worlds.push(world)
  return world
}
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close()
})

for (const isolation of [undefined, 'none'] as const) {
  const kind = isolation ?? 'bwrap'
  const options = isolation ? { isolation } : {}

  describe(`a headless run, isolation ${kind}`, () => {
    it('tells exit code, output and end', async () => {
      const world = await open(options)
      const ref = await world.launch('echo out; echo err >&2; exit 7')
      expect(ref.facts.isolation).toBe(kind)
      const exit = await world.backend.wait(ref, never())
      expect(exit?.exitCode).toBe(7)
      expect(Date.parse(exit?.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(String(ref.facts.startedAt)))
      expect(await world.outputOf(ref)).toBe('out\nerr\n')
      const [fact] = await world.backend.list(never())
      expect(fact).toMatchObject({
        slug: world.slug,
        state: 'exited',
        exitCode: 7,
        root: world.root.id,
        runId: ref.runId,
      })
    })

    it('tells a signal as 128 + n', async () => {
      const world = await open(options)
      const ref = await world.launch('kill -TERM $$')
      expect((await world.backend.wait(ref, never()))?.exitCode).toBe(143)
    })

    it('is listed as running, and stops politely', async () => {
      const world = await open(options)
      const ref = await world.launch('trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.05; done')
      await until('agent is up', async () => (await world.outputOf(ref)).includes('up'))
      expect((await world.backend.list(never()))[0]?.state).toBe('running')
      await world.backend.stop(ref, { graceSeconds: 10 }, never())
      expect((await world.backend.wait(ref, never()))?.exitCode).toBe(3)
      expect(await world.outputOf(ref)).toContain('bye')
    })

    it('is killed when it will not stop, with all that it started', async () => {
      const world = await open(options)
      const ref = await world.launch(
        'trap "" TERM; setsid sh -c \'trap "" TERM; while :; do echo tick >> ticks; sleep 0.05; done\' & while :; do sleep 0.05; done',
      )
      const ticks = join(world.workspace, 'ticks')
      await until('grandchild ticks', async () => (await textOf(ticks)) !== null)
      await world.backend.stop(ref, { graceSeconds: 0.3 }, never())
      expect((await world.backend.wait(ref, never()))?.exitCode).toBe(137)
      const { size } = await stat(ticks)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect((await stat(ticks)).size).toBe(size)
    })

    it('gets its environment byte for byte and nothing else of ours', async () => {
      const world = await open({ ...options, env: { CALLER_TOKEN: 'caller-secret' } })
      const nasty = 'a\'b"c$d`e\\f\ng\th ünïcödé ; | & * ? # !'
      const secret = canary()
      const ref = await world.launch('env -0 > env; printf %s "$NASTY" > nasty; pwd > where', {
        env: { NASTY: nasty },
        secrets: { TOKEN: secret },
      })
      await world.backend.wait(ref, never())
      expect(await readFile(join(world.workspace, 'nasty'), 'utf8')).toBe(nasty)
      const names = (await readFile(join(world.workspace, 'env'), 'utf8')).split('\0')
      expect(names).toContain(`TOKEN=${secret}`)
      expect(names).toContain(`HOME=${join(world.stateDir, 'live', 'home')}`)
      expect(names).toContain(`ICEBOX_SLUG=${world.slug}`)
      expect(names.join()).not.toContain('caller-secret')
      expect((await readFile(join(world.workspace, 'where'), 'utf8')).trim()).toBe(world.workspace)
      for (const file of await filesBelow(world.stateDir)) {
        if (file.includes('/live/')) continue
        expect(await readFile(file, 'utf8'), file).not.toContain(secret)
      }
    })

    it('writes files into the home, never through a link', async () => {
      const world = await open(options)
      const ref = await world.launch('cat "$HOME/.agent/skill.md"', {
        homeFiles: { '.agent/skill.md': 'be kind' },
      })
      await world.backend.wait(ref, never())
      expect(await world.outputOf(ref)).toBe('be kind')
      const outside = join(world.userHome, 'outside')
      await mkdir(outside)
      const linked = await world.launch(`rm -rf "$HOME/.agent"; ln -s ${outside} "$HOME/.agent"`, {
        previous: ref,
      })
      await world.backend.wait(linked, never())
      await expect(
        world.launch('true', { previous: linked, homeFiles: { '.agent/skill.md': 'evil' } }),
      ).rejects.toMatchObject({ code: 'permission' })
      expect(await readdir(outside)).toEqual([])
      await expect(world.launch('true', { homeFiles: { '../../x': 'evil' } })).rejects.toMatchObject({
        code: 'manifest-invalid',
      })
    })

    it('follows the log to its end', async () => {
      const world = await open(options)
      const ref = await world.launch('echo one; while [ ! -e go ]; do sleep 0.02; done; echo two')
      let seen = ''
      for await (const chunk of world.backend.logs(ref, { follow: true }, never())) {
        seen += Buffer.from(chunk).toString()
        if (seen === 'one\n') await writeFile(join(world.workspace, 'go'), '')
      }
      expect(seen).toBe('one\ntwo\n')
      let tail = ''
      for await (const chunk of world.backend.logs(ref, { follow: false, tailBytes: 4 }, never()))
        tail += Buffer.from(chunk)
      expect(tail).toBe('two\n')
    })

    it('runs what is named like a shell command as the program it is', async () => {
      const world = await open(options)
      const ref = await world.launch('', { argv: ['test', '1', '=', '2'] })
      expect((await world.backend.wait(ref, never()))?.exitCode).toBe(1)
    })

    it('is removed without a trace but its trees', async () => {
      const world = await open(options)
      const ref = await world.launch('echo mine > file; sleep 100')
      await until('file', async () => (await textOf(join(world.workspace, 'file'))) === 'mine\n')
      expect(await world.backend.remove(ref, never())).toEqual({ removed: [ref.name], left: [] })
      expect(await world.backend.remove(ref, never())).toEqual({ removed: [], left: [] })
      expect(await world.backend.list(never())).toEqual([])
      expect(await world.backend.wait(ref, never())).toBeNull()
      expect(await textOf(join(world.workspace, 'file'))).toBe('mine\n')
    })

    it('tells its start, end and removal', async () => {
      const world = await open(options)
      const stop = new AbortController()
      const kinds: string[] = []
      const watching = (async () => {
        for await (const change of world.backend.watch(stop.signal)) {
          expect(change.slug).toBe(world.slug)
          kinds.push(change.kind)
        }
      })()
      const ref = await world.launch('while [ ! -e go ]; do sleep 0.02; done')
      await until('started', () => kinds.includes('started'))
      await writeFile(join(world.workspace, 'go'), '')
      await until('exited', () => kinds.includes('exited'))
      await world.backend.remove(ref, never())
      await until('removed', () => kinds.includes('removed'))
      stop.abort()
      await watching
    })

    it('whose runner is killed is exited with an unknown code, and nothing of it survives removal', async () => {
      const world = await open(options)
      const ref = await world.launch('while :; do echo tick >> ticks; sleep 0.05; done')
      const ticks = join(world.workspace, 'ticks')
      await until('ticks', async () => (await textOf(ticks)) !== null)
      process.kill(Number(ref.id), 'SIGKILL')
      expect((await world.backend.wait(ref, never()))?.exitCode).toBeNull()
      await world.backend.remove(ref, never())
      const { size } = await stat(ticks)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect((await stat(ticks)).size).toBe(size)
    })
  })
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
