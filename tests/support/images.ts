import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { makeBusyboxImage, must } from './busybox-image.ts'
import { which } from './prepare.ts'

// One set per test file, so that files never take each other's images away.
const mark = `${process.pid}-${randomBytes(3).toString('hex')}`
const tags: string[] = []
let made = 0
let busyboxOnce: Promise<string> | undefined

afterAll(async () => {
  busyboxOnce = undefined
  if (tags.length > 0) await must('docker', ['rmi', '-f', ...tags.splice(0)])
})

/** The tag of a small image with a shell; made once per test file and removed after it. */
export function ensureBusyboxImage(): Promise<string> {
  busyboxOnce ??= makeImage('busybox')
  return busyboxOnce
}

/** A busybox image with further Dockerfile instructions, such as `USER 1000`, and files: path inside → here. */
export async function makeImage(
  name: string,
  changes: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  // Numbered: a second image under the same tag would leave the first without one.
  const tag = `icebox-test/${name}-${mark}-${++made}:1`
  await makeBusyboxImage(tag, { changes, files })
  tags.push(tag)
  return tag
}

/** An image that holds one static program, `/busybox` (as in `/busybox cat FILE`), and no shell. */
export async function makeImageWithoutShell(): Promise<string> {
  const busybox = await which('busybox')
  if (!busybox) throw new Error('busybox is not installed')
  const tag = `icebox-test/no-shell-${mark}:1`
  const dir = await mkdtemp(join(tmpdir(), 'image-'))
  try {
    const tar = join(dir, 'image.tar')
    await must('tar', [
      '-C',
      '/',
      '--owner=0',
      '--group=0',
      `--transform=s,^.*$,busybox,`,
      '-chf',
      tar,
      busybox.slice(1),
    ])
    await must('docker', ['import', '--change', 'ENTRYPOINT ["/busybox"]', tar, tag])
    tags.push(tag)
    return tag
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
