import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const APPLETS =
  'sh cat echo ls sleep date touch mkdir rm cp mv dd id env wc tail head grep sed awk seq true false kill test sync stat tar ' +
  'ln chmod chown mkfifo mknod pwd printf sort find ps mount umount hostname basename dirname readlink tr cut xargs od tty stty expr sha256sum'

export interface TreeOptions {
  /** Further files: path in the guest → text. */
  readonly files?: Readonly<Record<string, string>>
  /** False: only `/busybox`, and nothing that could be a shell. */
  readonly shell?: boolean
}

/** The machine's static busybox, from which every guest is made. */
export function busyboxPath(): string {
  const found = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path))
  return found ?? execFileSync('which', ['busybox']).toString().trim()
}

/** Makes a small root file system with a shell, two users (`root`, `user` 1000) and a working folder. */
export function makeBusyboxTree(dir: string, options: TreeOptions = {}): void {
  if (options.shell === false) {
    mkdirSync(dir, { recursive: true })
    copyFileSync(busyboxPath(), join(dir, 'busybox'))
  } else {
    for (const folder of ['bin', 'etc', 'root', 'tmp', 'workspace', 'home/user'])
      mkdirSync(join(dir, folder), { recursive: true })
    copyFileSync(busyboxPath(), join(dir, 'bin/busybox'))
    for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(dir, 'bin', applet))
    writeFileSync(
      join(dir, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n',
    )
    writeFileSync(join(dir, 'etc/group'), 'root:x:0:\nuser:x:1000:\n')
    chmodSync(join(dir, 'tmp'), 0o1777)
    chmodSync(join(dir, 'root'), 0o700)
    execFileSync('chown', ['-R', '1000:1000', join(dir, 'home/user')])
  }
  for (const [path, text] of Object.entries(options.files ?? {})) {
    mkdirSync(join(dir, dirname(path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
}
