import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runChild } from './child.ts'
import { which } from './prepare.ts'

const APPLETS =
  'sh cat echo ls sleep date touch mkdir rm cp mv dd id env wc tail head grep sed awk seq true false kill test sync stat tar'

export interface ImageOptions {
  /** Further files: path in the image → path on this machine. */
  readonly files?: Readonly<Record<string, string>>
  /** Dockerfile instructions applied to the image's config, such as `USER 1000`. */
  readonly changes?: readonly string[]
}

/**
 * Makes a small image from the machine's static busybox, since tests can pull nothing. The caller removes the tag.
 * Returns the image id.
 */
export async function makeBusyboxImage(tag: string, options: ImageOptions = {}): Promise<string> {
  const busybox = await which('busybox')
  if (!busybox) throw new Error('busybox is not installed')
  const dir = await mkdtemp(join(tmpdir(), 'image-'))
  try {
    const tree = join(dir, 'tree')
    for (const folder of ['bin', 'etc', 'tmp', 'root', 'workspace'])
      await mkdir(join(tree, folder), { recursive: true })
    await copyFile(busybox, join(tree, 'bin/busybox'))
    for (const applet of APPLETS.split(' ')) await symlink('busybox', join(tree, 'bin', applet))
    await writeFile(
      join(tree, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/workspace:/bin/sh\n',
    )
    for (const [inside, outside] of Object.entries(options.files ?? {})) {
      await mkdir(join(tree, dirname(inside)), { recursive: true })
      await copyFile(outside, join(tree, inside))
    }
    const tar = join(dir, 'image.tar')
    await must('tar', ['--numeric-owner', '--owner=0', '--group=0', '-C', tree, '-cf', tar, '.'])
    const changes = ['WORKDIR /workspace', 'CMD ["sh"]', ...(options.changes ?? [])].flatMap((line) => [
      '--change',
      line,
    ])
    return (await must('docker', ['import', ...changes, tar, tag])).trim()
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Runs a program that has to succeed and returns its output. */
export async function must(file: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const { exitCode, output } = await runChild(file, args, { timeout: 300_000, ...(env ? { env } : {}) })
  if (exitCode !== 0) throw new Error(`${file} ${args.join(' ')} failed (${exitCode}): ${output.trim()}`)
  return output
}
