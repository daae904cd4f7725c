import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The `node` package's binary in the node_modules of this or a parent folder, or undefined. */
export async function findBundledNode(script: string): Promise<string | undefined> {
  for (let dir = dirname(script); ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', 'node', 'bin', 'node')
    const isThere = await access(candidate).then(
      () => true,
      () => false,
    )
    if (isThere) return candidate
    if (dir === dirname(dir)) return undefined
  }
}

/**
 * Runs the same command line on the newer Node that ships as a dependency, at the same terminal, and ends as it
 * ends. Without one it says in one sentence what is needed and ends with 1.
 */
export async function runOnBundledNode(script: string, needed: number): Promise<void> {
  const node = await findBundledNode(script)
  if (node === undefined || node === process.execPath) {
    process.stderr.write(
      `icebox: Node ${needed} or newer is needed and this is ${process.version}; install one, or run \`npm ci\` where icebox lies.\n`,
    )
    process.exitCode = 1
    return
  }
  const { spawn } = await import('node:child_process')
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' })
  // A Ctrl-C at the terminal reaches the child too; it takes both as one press.
  const forward = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of FORWARDED) process.on(signal, forward)
  await new Promise<void>((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`icebox: ${node} could not be started: ${error.message}\n`)
      process.exitCode = 1
      resolve()
    })
    child.once('exit', (code, signal) => {
      for (const name of FORWARDED) process.off(name, forward)
      process.exitCode = code ?? 1
      if (signal) process.kill(process.pid, signal)
      resolve()
    })
  })
}
