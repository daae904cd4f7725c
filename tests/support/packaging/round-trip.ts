import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild } from '../child.ts'

const TIMEOUT = 5 * 60_000

const AGENT = `---
bottle: plain
provider: custom
command:
  headless: [sh, -c, 'echo "$1" >> notes.txt', hello, "{prompt}"]
---
You keep notes.
`

/**
 * Makes a bottle on this machine with a command line of Icebox, freezes, exports and imports it, all in a state root of
 * its own. Tells what failed. The export packs in worker threads, which in a packed app come out of its archive.
 */
export async function wrongCommands(command: readonly [string, ...string[]]): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'icebox-check-'))
  const root = join(dir, 'root')
  const file = join(dir, 'out.bottle')
  const [program, ...first] = command
  try {
    for (const folder of ['agents', 'bottles']) await mkdir(join(root, folder), { recursive: true })
    await writeFile(join(root, 'agents/hello.md'), AGENT)
    await writeFile(join(root, 'bottles/plain.md'), '---\nbackend: host\n---\n')
    for (const args of [
      ['list', '--json'],
      ['start', 'hello', '--label', 'hello', '--headless', '--prompt', 'Say hello'],
      ['freeze', 'hello'],
      ['export', 'hello', '-o', file],
      ['import', file, '--label', 'again'],
    ]) {
      const { exitCode, output } = await runChild(program, [...first, ...args], {
        env: { ...process.env, ICEBOX_HOME: root },
        cwd: dir,
        timeout: TIMEOUT,
      })
      // What follows would only fail for the same reason.
      if (exitCode !== 0) return [`icebox ${args.join(' ')} ended with ${exitCode}: ${output}`]
    }
    return (await stat(file)).size === 0 ? ['the exported file is empty'] : []
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}
