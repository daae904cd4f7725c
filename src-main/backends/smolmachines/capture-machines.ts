import { setTimeout as sleep } from 'node:timers/promises'
import { bottleError } from '../../system/bottle-error.ts'
import { streamCommand } from '../../system/stream-command.ts'
import { LABEL } from '../labels.ts'
import type { Machines } from './capture-ports.ts'
import { COPY_MS, LOOK_MS } from './client.ts'
import type { SmolContext } from './context.ts'
import { smolError } from './errors.ts'
import { type ExecOptions, execArgs } from './grammar.ts'
import { createMachine, deleteMachine, findMachine, startMachine, stopMachine } from './machines.ts'

/** A machine that was told to stop and still runs is looked at so often. */
const LOOKS = 40
const LOOK_PAUSE_MS = 250
/** A helper runs one command over files. */
const HELPER_CPUS = 2
const HELPER_MIB = 2048

/** The verbs that freezes and helpers need, over this backend's own. */
export function createMachines(context: SmolContext): Machines {
  const look: Machines['look'] = async (name, signal) =>
    (await findMachine(context, name, signal))?.machine ?? null
  // Where an image has a user of its own, only root can read all of its files.
  const asRoot = async (name: string, argv: readonly string[], options: ExecOptions, signal: AbortSignal) => {
    const { execUser } = await context.client.features(signal)
    return execArgs(name, argv, { ...options, ...(execUser ? { user: 'root' } : {}) })
  }
  return {
    look,
    async createHelper(name, source, slug, signal) {
      const owner = { root: context.rootId, slug, runId: '', role: 'helper' as const }
      const spec = {
        ...{ name, source, cpus: HELPER_CPUS, memoryMib: HELPER_MIB, network: false, mounts: [], user: null },
        labels: { [LABEL.root]: owner.root, [LABEL.slug]: slug, [LABEL.role]: owner.role },
      }
      await createMachine(context, owner, spec, signal)
    },
    start: (name, signal) => startMachine(context, name, signal),
    async stop(name, signal) {
      await stopMachine(context, name, signal)
      for (let left = LOOKS; (await look(name, signal))?.state !== 'stopped'; left--) {
        if (left === 0)
          throw bottleError('timeout', `The machine ${name} did not stop, though smolvm said so.`)
        await sleep(LOOK_PAUSE_MS, undefined, { signal })
      }
    },
    async remove(name, signal) {
      if (await deleteMachine(context, name, signal)) return
      throw bottleError('engine-failed', `The machine ${name} is not gone, though smolvm said so.`)
    },
    async exec(name, argv, { input, signal, ...options }) {
      return context.client.run(
        'run a program in the machine',
        await asRoot(name, argv, { stdin: input !== undefined }, signal),
        { timeout: LOOK_MS, ...options, signal, ...(input ? { input } : {}) },
      )
    },
    async *stream(name, argv, signal) {
      yield* streamCommand(
        await context.client.program(),
        await asRoot(name, argv, { stream: true }, signal),
        { env: context.client.env, timeout: COPY_MS, signal },
        ({ exitCode, stderr }) => smolError('read the files of the machine', exitCode ?? 1, stderr),
      )
    },
  }
}
