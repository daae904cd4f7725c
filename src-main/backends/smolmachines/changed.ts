import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { RuntimeRef } from '../backend.ts'
import { LOOK_MS } from './client.ts'
import type { SmolContext } from './context.ts'
import { dataDirArgs } from './grammar.ts'
import { findMachine } from './machines.ts'
import { runPaths } from './run-paths.ts'
import { runState } from './run-state.ts'

/**
 * A digest of what a stopped machine's disks look like from outside: names, sizes and times of its files. It changes
 * with every start, whoever starts it. Null when it can't be told. @throws BottleError
 */
export async function diskMark(
  context: Pick<SmolContext, 'client'>,
  name: string,
  signal: AbortSignal,
): Promise<string | null> {
  const args = dataDirArgs(await context.client.features(signal), name)
  const told = await context.client.run('find the disks of a machine', args, {
    ...{ signal, timeout: LOOK_MS },
    okCodes: 'any',
  })
  const dir = told.stdout.trim()
  if (told.exitCode !== 0 || !dir.startsWith('/')) return null
  const lines: string[] = []
  // The top is enough: disks lie there, and what a guest changes is inside of them.
  for (const entry of (await readdir(dir).catch(() => [])).sort()) {
    const found = await stat(join(dir, entry), { bigint: true }).catch(() => null)
    if (found && (found.isFile() || found.isDirectory()))
      lines.push(`${entry} ${found.size} ${found.mtimeNs} ${found.ino}`)
  }
  return lines.length === 0 ? null : createHash('sha256').update(lines.join('\n')).digest('hex')
}

/**
 * False only when the machine has stood still since that snapshot was taken from it: same machine, same run, stopped,
 * and its disks untouched. @throws BottleError
 */
export async function changedSince(
  context: SmolContext,
  ref: RuntimeRef,
  snapshot: Snapshot | null,
  signal: AbortSignal,
): Promise<boolean> {
  const facts = snapshot?.facts
  if (!facts || snapshot.runId !== ref.runId || facts.machine !== ref.name) return true
  if (typeof facts.diskMark !== 'string') return true
  const found = await findMachine(context, ref.name, signal)
  if (found?.machine.state !== 'stopped' || found.machine.createdAt !== facts.machineCreatedAt) return true
  if ((await runState(runPaths(context.home, ref))).kind === 'running') return true
  return (await diskMark(context, ref.name, signal)) !== facts.diskMark
}
