import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, inspectRaw, makeDockerScene, until } from '../../support/docker-scene.ts'
import { ensureBusyboxImage, makeImage, makeImageWithoutShell } from '../../support/images.ts'
import { rawEngine } from '../../support/raw-engine.ts'

let scene: DockerScene
let image: string
beforeAll(async () => {
  image = await ensureBusyboxImage()
  scene = await makeDockerScene()
})
afterAll(() => scene.dispose())

const NASTY = `a'b"c\\d $HOME \`id\` $(id)\n\n\ttab\r end; ! * ~ ü€𝄞 --x=\u0001`

it('runs an agent, tells its exit code and keeps its output', async () => {
  const { ref, output, exitCode } = await scene.run(scene.plan(image, 'echo out; echo err >&2; exit 7'))
  expect(exitCode).toBe(7)
  expect(output.split('\n').sort()).toEqual(['', 'err', 'out'])
  const [fact] = (await scene.backend.list(scene.signal)).filter(({ id }) => id === ref.id)
  expect(fact).toMatchObject({
    state: 'exited',
    exitCode: 7,
    slug: ref.slug,
    runId: ref.runId,
    root: scene.root.id,
  })
})

it.each([
  ['root', null],
  ['a user without rights', '1000:1000'],
])('gives arguments and variables to %s exactly as they are', async (_who, user) => {
  const plan = scene.plan(image, null, {
    argv: ['sh', '-c', 'printf "%s|%s|%s|%s" "$1" "$PLAIN" "$SECRET" "$(id -u)"; echo " $UID"', 'x', NASTY],
    env: { PLAIN: NASTY, EMPTY: '', UID: 'mine' },
    secrets: { SECRET: `${NASTY}!` },
    user,
  })
  const { output } = await scene.run(plan)
  expect(output).toBe(`${NASTY}|${NASTY}|${NASTY}!|${user ? 1000 : 0} mine\n`)
})

it('gives variables that no shell can hold', async () => {
  const { output } = await scene.run(
    scene.plan(image, null, { argv: ['env'], secrets: { 'odd.name-1': 'v' } }),
  )
  expect(output.split('\n')).toContain('odd.name-1=v')
})

it('runs the image as it is when no command is given, entrypoint and user included', async () => {
  const own = await makeImage('own', [
    'ENTRYPOINT ["echo","from","entrypoint"]',
    'CMD ["and","cmd"]',
    'USER 1000',
  ])
  const { output } = await scene.run(scene.plan(own, null))
  expect(output).toBe('from entrypoint and cmd\n')
  const { output: replaced } = await scene.run(scene.plan(own, 'id -u'))
  expect(replaced).toBe('1000\n')
})

it('leaves nothing of a run in the container that the engine shows', async () => {
  const plan = scene.plan(image, 'echo canary-argv-1; sleep 300', {
    env: { CANARY: 'canary-env-2' },
    secrets: { TOKEN: 'canary-secret-3' },
    prompt: 'canary-prompt',
    sidecars: [
      { name: 'forge', image, command: ['sh', '-c', 'echo canary-argv-4; sleep 300'], env: {}, secrets: {} },
    ],
    forgeEnv: { FORGE: 'canary-forge-5' },
  })
  const ref = await scene.launch(plan)
  for (const id of [ref.id, ...ref.sidecars.map((one) => one.id)]) {
    expect(JSON.stringify(await inspectRaw(id))).not.toContain('canary')
  }
  expect(JSON.stringify(ref)).not.toContain('canary')
  const seen = await must('docker', [
    'exec',
    ref.sidecars[0]?.id ?? '',
    'sh',
    '-c',
    'tr "\\0" "\\n" < /proc/1/environ; cat /run/icebox/env',
  ])
  expect(seen).toContain('canary-forge-5')
  await scene.backend.stop(ref, { graceSeconds: 0 }, scene.signal)
  await scene.backend.runEnded(ref, scene.signal)
  await scene.backend.runEnded(ref, scene.signal)
  for (const name of [`icebox-run-${ref.runId}`, `icebox-run-${ref.runId}-forge`]) {
    const left = await must('docker', [
      'run',
      '--rm',
      '--network=none',
      '-v',
      `${name}:/v`,
      image,
      'sh',
      '-c',
      'cat /v/env /v/argv',
    ])
    expect(left).toBe('')
  }
  const removed = await scene.backend.remove(ref, scene.signal)
  expect(removed.left).toEqual([])
  expect(await scene.backend.inventory(scene.root.id, scene.signal)).toMatchObject({ networks: [] })
  expect(await scene.backend.find(ref.id, scene.signal)).toBeNull()
  await expect(scene.backend.remove(ref, scene.signal)).resolves.toEqual({ removed: [], left: [] })
})

it('runs an image without a shell, with its secrets as files only', async () => {
  const bare = await makeImageWithoutShell()
  const plan = scene.plan(bare, null, {
    argv: ['/busybox', 'cat', '/run/icebox/secrets/TOKEN'],
    env: { PLAIN: 'visible' },
    secrets: { TOKEN: 'canary-no-shell' },
  })
  const { ref, output, exitCode } = await scene.run(plan)
  expect({ output, exitCode }).toEqual({ output: 'canary-no-shell', exitCode: 0 })
  expect(JSON.stringify(await inspectRaw(ref.id))).not.toContain('canary')
  const { snapshot } = await scene.freeze(ref)
  expect(await must('docker', ['image', 'inspect', snapshot.reference])).not.toContain('canary')
  const again = await scene.run(
    scene.planResume(snapshot, null, { argv: ['/busybox', 'echo', 'again'], previous: ref }),
  )
  expect(again.output).toBe('again\n')
  expect((await scene.backend.preflight(scene.planResume(snapshot, null), scene.signal)).join()).toContain(
    'no shell',
  )
})

it('copies a folder in and writes home files, owned by the agent’s user', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'copy-'))
  try {
    await mkdir(join(folder, 'sub'))
    await writeFile(join(folder, 'sub', 'big'), Buffer.alloc(3_000_001, 'x'))
    await writeFile(join(folder, 'empty'), '')
    await symlink('sub/big', join(folder, 'link'))
    const plan = scene.plan(
      image,
      'wc -c < link; stat -c %u:%g . sub/big empty ~/.agent/skill; cat ~/.agent/skill',
      {
        user: 'user',
        workdir: '/work/here',
        copyCwd: folder,
        homeFiles: { '.agent/skill': 'be good\n' },
      },
    )
    const { output } = await scene.run(plan)
    expect(output).toBe('3000001\n1000:1000\n1000:1000\n1000:1000\n1000:1000\nbe good\n')
    await expect(
      scene.launch({ ...plan, slug: 't-nofolder', copyCwd: join(folder, 'nope') }),
    ).rejects.toMatchObject({
      code: expect.not.stringMatching('engine-'),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

it('takes back everything when a launch fails, and gives the previous run its name back', async () => {
  const { ref: previous } = await scene.run(scene.plan(image, 'echo kept > /kept'))
  const { length: before } = await owned()
  const plan = scene.plan(image, 'true', {
    slug: previous.slug,
    previous,
    workdir: '/bin/sh/impossible',
    sidecars: [{ name: 'db', image, command: ['sh', '-c', 'sleep 100'], env: {}, secrets: {} }],
  })
  await expect(scene.launch(plan)).rejects.toMatchObject({ code: 'engine-failed', slug: previous.slug })
  expect((await inspectRaw(previous.id)).Name).toBe(`/bot-bottle-${previous.slug}`)
  expect(await owned()).toHaveLength(before)
})

it('keeps the previous run under another name while the new one owns it', async () => {
  const { ref: previous } = await scene.run(scene.plan(image, 'true'))
  const next = await scene.launch(scene.plan(image, 'sleep 100', { slug: previous.slug, previous }))
  expect((await inspectRaw(previous.id)).Name).toBe(`/bot-bottle-${previous.slug}.prev-${previous.runId}`)
  expect(next.name).toBe(`bot-bottle-${previous.slug}`)
  await scene.backend.remove(previous, scene.signal)
  expect((await inspectRaw(next.id)).State.Running).toBe(true)
})

it('leaves a container alone that has the name and is not the bottle’s', async () => {
  const plan = scene.plan(image, 'true')
  const id = (await must('docker', ['create', '--name', `bot-bottle-${plan.slug}`, image])).trim()
  try {
    await expect(scene.launch(plan)).rejects.toMatchObject({ code: 'exists' })
    expect((await inspectRaw(id)).Name).toBe(`/bot-bottle-${plan.slug}`)
    const found = await scene.backend.find(`bot-bottle-${plan.slug}`, scene.signal)
    expect(found).toMatchObject({ id, slug: plan.slug, runId: '' })
    expect((await scene.backend.list(scene.signal)).find((fact) => fact.id === id)).toMatchObject({
      root: null,
      state: 'created',
    })
  } finally {
    await must('docker', ['rm', '-f', id])
  }
})

it('tells a missing image, a missing forge sidecar and a missing volume apart', async () => {
  const plan = scene.plan('icebox-test/not-there:1', 'true')
  await expect(scene.launch(plan)).rejects.toMatchObject({
    code: 'image-missing',
    message: expect.stringContaining('not-there'),
  })
  await expect(scene.launch(scene.plan('Not An Image', 'true'))).rejects.toMatchObject({
    code: 'image-missing',
  })
  const forge = scene.plan(image, 'true', { forgeEnv: { A: 'b' } })
  await expect(scene.backend.preflight(forge, scene.signal)).rejects.toMatchObject({
    code: 'forge-sidecar-missing',
  })
  const mount = {
    type: 'volume',
    source: 'icebox-test-nope',
    target: '/v',
    readOnly: false,
    external: true,
  } as const
  await expect(
    scene.backend.preflight(scene.plan(image, 'true', { mounts: [mount] }), scene.signal),
  ).rejects.toMatchObject({
    code: 'not-found',
  })
})

it('builds an image from a folder, leaving out what .dockerignore names', async () => {
  const context = await mkdtemp(join(tmpdir(), 'build-'))
  try {
    await writeFile(join(context, 'Dockerfile'), `FROM ${image}\nCOPY . /ctx\nENV MADE=built\nUSER 1000\n`)
    await writeFile(join(context, '.dockerignore'), '*.log\nsecret\n!keep.log\n')
    for (const name of ['a.log', 'keep.log', 'file']) await writeFile(join(context, name), name)
    await mkdir(join(context, 'secret'))
    await writeFile(join(context, 'secret', 'x'), 'x')
    const source = { kind: 'build', context, dockerfile: 'Dockerfile', target: null } as const
    const { ref, output } = await scene.run(scene.plan('', 'ls /ctx; echo $MADE; id -u', { image: source }))
    expect(output).toBe('Dockerfile\nfile\nkeep.log\nbuilt\n1000\n')
    const tag = `bot-bottle-${ref.slug}-build:${ref.runId}`
    expect(
      (await scene.backend.inventory(scene.root.id, scene.signal)).images.map((one) => one.reference),
    ).toContain(tag)
    await scene.backend.remove(ref, scene.signal)
    const left = (await scene.backend.inventory(scene.root.id, scene.signal)).images
    expect(left.map((one) => one.reference)).not.toContain(tag)
    await writeFile(join(context, 'Dockerfile'), `FROM ${image}\nRUN exit 3\n`)
    await expect(scene.launch(scene.plan('', 'true', { image: source }))).rejects.toMatchObject({
      code: 'engine-failed',
      detail: expect.stringContaining('3'),
    })
  } finally {
    await rm(context, { recursive: true, force: true })
  }
})

it('wipes what a run was given only if that may have been a secret', async () => {
  const volume = async (runId: string) =>
    must('docker', ['run', '--rm', '--network=none', '-v', `icebox-run-${runId}:/v`, image, 'cat', '/v/argv'])
  const plain = scene.plan(image, 'echo plain-run')
  const { ref } = await scene.run(plain)
  await scene.backend.runEnded(ref, scene.signal)
  expect(await volume(ref.runId)).toContain('plain-run')
  // Read back from the engine, nobody knows what it was given.
  const found = await scene.backend.find(ref.id, scene.signal)
  if (!found) throw new Error('the container is gone')
  await scene.backend.runEnded(found, scene.signal)
  expect(await volume(ref.runId)).toBe('')
  // A secret that comes later counts for that run and for all after it.
  const secret = await scene.backend.restart(ref, { ...plain, secrets: { S: 'late' } }, scene.signal)
  await scene.backend.wait(secret, scene.signal)
  const again = await scene.backend.restart(secret, plain, scene.signal)
  await scene.backend.wait(again, scene.signal)
  await scene.backend.runEnded(again, scene.signal)
  expect(await volume(ref.runId)).toBe('')
  expect((await scene.backend.remove(again, scene.signal)).removed).toEqual([
    ref.name,
    `volume icebox-run-${ref.runId}`,
  ])
})

it('starts a stopped run again with the same files and a new command', async () => {
  const plan = scene.plan(image, 'echo one > /kept; cat /kept')
  const { ref } = await scene.run(plan)
  await scene.backend.runEnded(ref, scene.signal)
  const again = await scene.backend.restart(
    ref,
    { ...plan, argv: ['sh', '-c', 'cat /kept; echo "$S"; sleep 100'], secrets: { S: 'new' } },
    scene.signal,
  )
  expect(again.id).toBe(ref.id)
  await until(async () => (await scene.output(again)).endsWith('one\nnew\n'))
  await expect(scene.backend.restart(ref, plan, scene.signal)).rejects.toMatchObject({ code: 'busy' })
  await scene.backend.stop(again, { graceSeconds: 0 }, scene.signal)
  await scene.backend.stop(again, { graceSeconds: 0 }, scene.signal)
  expect((await scene.backend.wait(again, scene.signal))?.exitCode).toSatisfy(
    (code) => code === 137 || code === 143,
  )
})

it('makes a private network for sidecars, which the agent reaches by name', async () => {
  const plan = scene.plan(image, 'tail -1 /etc/hosts > /dev/null; sleep 100', {
    sidecars: [{ name: 'db', image, command: ['sh', '-c', 'sleep 100'], env: {}, secrets: {} }],
  })
  const ref = await scene.launch(plan)
  type NetworkAnswer = { Internal: boolean; Containers: Record<string, unknown> }
  const network = await rawEngine().call<NetworkAnswer>('GET', `/networks/${ref.networks[0]}`)
  expect(network.Internal).toBe(true)
  expect(Object.keys(network.Containers).sort()).toEqual([ref.id, ref.sidecars[0]?.id].sort())
  expect((await scene.backend.remove(ref, scene.signal)).left).toEqual([])
})

async function owned(): Promise<readonly unknown[]> {
  const { containers, volumes, networks, images } = await scene.backend.inventory(scene.root.id, scene.signal)
  return [...containers, ...volumes, ...networks, ...images]
}
