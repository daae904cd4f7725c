import { runCommand } from '../../../src-main/system/run-command.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { conformance } from './suite.ts'

conformance({
  backend: 'docker',
  bottle: async () => `backend: docker\nimage: ${await ensureBusyboxImage()}\nworkdir: /work`,
  throwAway: async (_tests, slug) => {
    await runCommand('docker', ['rm', '-f', '-v', `bot-bottle-${slug}`], {
      timeout: 60_000,
      env: { PATH: process.env.PATH ?? '', DOCKER_HOST: process.env.DOCKER_HOST ?? '' },
    })
  },
})
