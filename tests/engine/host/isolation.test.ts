import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { canary, type HostWorld, never, openHostWorld, textOf } from './host-fixture.ts'

// Not below /tmp: that is private to every bottle anyway and would hide what is to be seen.
const base = join(homedir(), '.cache', `icebox-isolation-${process.pid}`)
let world: HostWorld

beforeEach(async () => {
  await mkdir(base, { recursive: true })
  world = await openHostWorld({ base })
})
afterEach(async () => {
  await world.close()
  await rm(base, { recursive: true, force: true })
})

const run = async (script: string, more: Parameters<HostWorld['launch']>[1] = {}): Promise<string> => {
  const ref = await world.launch(script, more)
  await world.backend.wait(ref, never())
  return world.outputOf(ref)
}

it('hides the keys of the person', async () => {
  const secret = canary()
  await mkdir(join(world.userHome, '.ssh'))
  await writeFile(join(world.userHome, '.ssh', 'id'), secret)
  await writeFile(join(world.userHome, '.netrc'), secret)
  await writeFile(join(world.userHome, 'readable'), 'plain')
  const output = await run(`cd ${world.userHome}; cat readable .ssh/id .netrc; ls -A .ssh | wc -l`)
  expect(output).toContain('plain')
  expect(output).toMatch(/^0$/m)
  expect(output).not.toContain(secret)
})

it('hides every other bottle and the records of its own', async () => {
  const secret = canary()
  await mkdir(world.root.path('state', 'other'))
  await writeFile(world.root.path('state', 'other', 'file'), secret)
  await writeFile(join(world.stateDir, 'metadata.json'), secret)
  const output = await run(
    `cd ${world.root.dir}; find . -type f; cat state/other/file state/${world.slug}/metadata.json; ls state; echo x > new; ls new`,
  )
  expect(output).not.toContain(secret)
  expect(output).not.toContain('./')
  expect(output).toMatch(new RegExp(`^${world.slug}$`, 'm'))
  expect(await textOf(world.root.path('new'))).toBeNull()
})

it('lets the agent write its own two folders and a /tmp of its own, nothing else', async () => {
  const mark = canary()
  const output = await run(
    `for f in ${world.userHome}/${mark} /etc/${mark} /${mark} /var/tmp/../${mark}; do echo x > $f && echo wrote $f; done
     echo x > ok && echo x > "$HOME/ok" && echo x > /tmp/${mark} && echo x > /var/tmp/${mark} && echo own
     mount -o remount,rw / && echo remounted; umount ${world.root.dir} && echo unmounted`,
  )
  expect(output).toContain('own')
  expect(output).not.toMatch(/wrote|remounted|unmounted/)
  expect(await textOf(`/tmp/${mark}`)).toBeNull()
  expect(await textOf(join(world.workspace, 'ok'))).toBe('x\n')
})

it('shows the agent no process but its own, and no capability', async () => {
  const output = await run(
    `ls /proc | grep -c '^[0-9]'; grep CapEff /proc/self/status; kill -0 ${process.pid} && echo alive`,
  )
  expect(Number.parseInt(output, 10)).toBeLessThan(8)
  expect(output).toMatch(/CapEff:\s+0+$/m)
  expect(output).not.toContain('alive')
})

it('hides the sockets of engines and keyrings', async () => {
  expect(await run('ls /run/docker.sock /run/user /run/dbus 2>/dev/null | wc -l')).toBe('0\n')
})

it('takes the network away where the policy says so', async () => {
  const server = createServer((socket) => socket.end('reached'))
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
  const argv = ['/bin/bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`]
  try {
    expect(await run('', { argv })).toBe('reached')
    expect(await run('', { argv, network: 'none', runId: 'aaaaaaaaaa' })).not.toContain('reached')
  } finally {
    server.close()
  }
})

it('refuses such a policy without a sandbox, before anything happens', async () => {
  const bare = await openHostWorld({ isolation: 'none', base })
  try {
    const plan = bare.plan('true', { network: 'none' })
    await expect(bare.backend.preflight(plan, never())).rejects.toMatchObject({
      code: 'policy-unenforceable',
    })
    await expect(bare.launch('true', { network: 'none' })).rejects.toMatchObject({
      code: 'policy-unenforceable',
    })
    expect(await bare.backend.list(never())).toEqual([])
    expect(await textOf(join(bare.stateDir, 'live'))).toBeNull()
    expect(await bare.backend.preflight(bare.plan('true', { network: 'unenforced' }), never())).toEqual([
      'The agent is not isolated. Isolation is turned off by ICEBOX_HOST_ISOLATION.',
    ])
  } finally {
    await bare.close()
    await rm(base, { recursive: true, force: true })
  }
})
