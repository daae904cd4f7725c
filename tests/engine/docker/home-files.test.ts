import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DockerScene, inspectRaw, makeDockerScene } from '../../support/docker-scene.ts'
import { ensureBusyboxImage, makeImageWithoutShell } from '../../support/images.ts'

let scene: DockerScene
let image: string
beforeAll(async () => {
  image = await ensureBusyboxImage()
  scene = await makeDockerScene()
})
afterAll(() => scene.dispose())

const SHOW = 'stat -c "%u:%g %a" ~/.agent ~/.agent/skill; cat ~/.agent/skill'

it.each([
  ['root', null, '0:0'],
  ['a user', 'user', '1000:1000'],
])('gives %s its home files at the start and at each resume', async (_who, user, owner) => {
  const shown = (text: string) => `${owner} 755\n${owner} 644\n${text}\n`
  const plan = scene.plan(image, SHOW, { user, homeFiles: { '.agent/skill': 'one\n' } })
  const first = await scene.run(plan)
  expect(first.output).toBe(shown('one'))
  const { snapshot } = await scene.freeze(first.ref)
  const homeFiles = { '.agent/skill': 'two\n', '.agent/more/deep': 'three\n' }
  const again = await scene.run(
    scene.planResume(snapshot, `${SHOW}; cat ~/.agent/more/deep`, { user, homeFiles, previous: first.ref }),
  )
  expect(again.output).toBe(`${shown('two')}three\n`)
  expect(JSON.stringify(await inspectRaw(again.ref.id))).not.toContain('skill')
})

it('leaves a file alone that the agent wrote since, when its run is started again', async () => {
  const plan = scene.plan(image, 'cat ~/.agent/skill; echo mine > ~/.agent/skill', {
    homeFiles: { '.agent/skill': 'given\n' },
  })
  const { ref } = await scene.run(plan)
  const again = await scene.backend.restart(ref, plan, scene.signal)
  await scene.backend.wait(again, scene.signal)
  expect(await scene.output(again)).toBe('given\nmine\n')
})

it('gives home files to an image without a shell', async () => {
  const bare = await makeImageWithoutShell()
  const argv = ['/busybox', 'cat', '/root/.agent/skill']
  const { output } = await scene.run(
    scene.plan(bare, null, { argv, homeFiles: { '.agent/skill': 'plain\n' } }),
  )
  expect(output).toBe('plain\n')
})

it('gives home files to a user who has no home of its own', async () => {
  const { output } = await scene.run(
    scene.plan(image, 'cat ~/.agent/skill', {
      user: '4321:4321',
      homeFiles: { '.agent/skill': 'homeless\n' },
    }),
  )
  expect(output).toBe('homeless\n')
})
