/*
 * The double of `smolvm`. It takes exactly what the chosen version takes and does the work on plain folders: a guest
 * is a root file system with processes of its own, a pack and a checkpoint are files in the real container format.
 *
 * Where it is not the real thing:
 * - Memory can't be kept. A checkpoint has the files of one instant, memory file systems included; the processes of
 *   a restored machine are the commands that ran at that instant, started again from their beginning.
 * - A pack has one layer in every version, and its assets are not compressed.
 * - There is no network: `addRegistryImage` says what a registry has.
 * - `exec` wants `--` before the command, as the contract page writes it; the real one takes it without too.
 * Verbs in the fault knobs are the words after `machine`, such as `create` or `exec`, and `pack create`.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { readKnobs, strikesOf, takeFaults } from '../lib/knobs.ts'
import { type HandedOver, type QuickAnswer, SERVE, serveQuick } from '../lib/quick.ts'
import { readJson } from '../lib/state.ts'
import {
  branchMachine,
  checkpointMachine,
  logCheckpoints,
  pauseMachine,
  pruneCheckpoints,
  resumeMachine,
} from './checkpoint.ts'
import { type Call, parseArguments } from './clap.ts'
import { commandTable } from './command-table.ts'
import { type Context, type Sink, say } from './context.ts'
import { copyFile } from './copy.ts'
import { createMachine } from './create.ts'
import { execInMachine, shellInMachine } from './exec.ts'
import { agentFailure, databaseLocked, Failure } from './failure.ts'
import {
  deleteMachine,
  listMachines,
  nameOf,
  pruneMachine,
  showDataDir,
  showImages,
  showStatus,
  stopMachine,
  updateMachine,
} from './life.ts'
import { findMachine, makeFolders, sweepOrphans } from './machines.ts'
import { createPack } from './pack-create.ts'
import { inspectPack, runPack } from './pack-use.ts'
import { runMachine } from './run.ts'
import { startMachine } from './start.ts'
import { featuresOf } from './versions.ts'
import { wrongProgram } from './wrong-program.ts'

const NOT_READY = 'agent did not become ready within 30 seconds'

/** What a verb gives back is its exit code when it is a number. */
type Verb = (context: Context) => unknown

const VERBS: Readonly<Record<string, Verb>> = {
  create: createMachine,
  start: startNamed,
  stop: stopMachine,
  delete: deleteMachine,
  ls: listMachines,
  status: showStatus,
  exec: execInMachine,
  shell: shellInMachine,
  cp: copyFile,
  update: updateMachine,
  'data-dir': showDataDir,
  images: showImages,
  prune: pruneMachine,
  run: runMachine,
  fork: branchMachine,
  branch: branchMachine,
  checkpoint: checkpointMachine,
  'checkpoint-log': logCheckpoints,
  'checkpoint-prune': pruneCheckpoints,
  pause: pauseMachine,
  resume: resumeMachine,
  'pack create': createPack,
  'pack run': runPack,
  'pack inspect': inspectPack,
  'pack prune': (context) => say(context, 'No cached entries to remove.'),
}

/** What needs a guest that comes up or answers. */
const NEEDS_GUEST: ReadonlySet<string> = new Set(
  'start exec shell cp run fork branch checkpoint pause resume prune'.split(' ').concat('pack run'),
)

/** Without a name and without a `default`, one is made. */
async function startNamed(context: Context): Promise<void> {
  const name = nameOf(context)
  if (!context.call.has('name') && !findMachine(context.dir, name))
    await createMachine({ ...context, call: withName(context.call) })
  const { call } = context
  await startMachine(context, name, { forkable: call.has('forkable') || call.has('branchable') })
}

function withName(call: Call): Call {
  return { ...call, one: (long) => (long === 'name' ? 'default' : call.one(long)) }
}

/** Where a call goes that another process than its own does. */
type Elsewhere = Required<Pick<Context, 'sink' | 'handOver'>>

/** One call, from its words to its exit code. */
async function call(
  dir: string,
  argv: readonly string[],
  pid: number,
  elsewhere?: Elsewhere,
): Promise<number> {
  const sink = elsewhere?.sink
  const out = (text: string) => (sink ? sink.out(Buffer.from(text)) : process.stdout.write(text))
  const err = (text: string) => (sink ? sink.err(Buffer.from(text)) : process.stderr.write(text))
  const { version, program } = readJson<{ readonly version: string; readonly program?: string }>(
    join(dir, 'config.json'),
    { version: '0.0.0' },
  )
  appendFileSync(join(dir, 'calls.jsonl'), `${JSON.stringify({ argv, pid })}\n`)
  if (program === 'other') return wrongProgram(version, argv, out, err)
  const features = featuresOf(version)
  const parsed = parseArguments(commandTable(features), version, argv)
  if (parsed.kind === 'print') {
    out(parsed.text)
    return 0
  }
  if (parsed.kind === 'refused') {
    err(parsed.text)
    return 2
  }
  const [group, ...words] = parsed.call.path
  const verb = group === 'pack' ? ['pack', ...words].join(' ') : words.join(' ')
  const run = VERBS[verb]
  const { serviceDown, extra } = readKnobs(dir)
  const context: Context = {
    dir,
    features,
    call: parsed.call,
    strikes: strikesOf(takeFaults(dir, verb)),
    unreachable: new Set(Array.isArray(extra?.unreachable) ? extra.unreachable.map(String) : []),
    helperFails: serviceDown === true || extra?.helperFails === true,
    layerCacheLost: extra?.layerCacheLost === true,
    env: process.env,
    ...elsewhere,
  }
  try {
    makeFolders(dir)
    const fault = context.strikes.atStart()
    if (fault?.kind === 'locked') throw databaseLocked()
    if (fault?.kind === 'fail')
      throw new Failure(fault.message ?? `agent operation failed: connect: ${NOT_READY}`, fault.exitCode ?? 1)
    if (serviceDown && NEEDS_GUEST.has(verb)) throw agentFailure('connect', NOT_READY)
    if (!run) throw new Failure(`the double of smolvm has no '${verb}'`, 70)
    if (group === 'machine') sweepOrphans(dir)
    const result = await run(context)
    return typeof result === 'number' ? result : 0
  } catch (error) {
    // A mistake of the double itself must not pass for a failure of the real one.
    if (!(error instanceof Failure)) {
      err(`${error instanceof Error ? error.stack : String(error)}\n`)
      return 70
    }
    err(`Error: ${error.message}\n`)
    return error.exitCode
  }
}

/** Verbs that only read. */
const READS: ReadonlySet<string> = new Set(['ls', 'status', 'data-dir'])
/** Verbs that change something; here they are done one after the other. */
const CHANGES: ReadonlySet<string> = new Set(['start', 'stop', 'delete', 'update'])

/**
 * What another process may do for a call: nothing that depends on the caller's folder, environment or stdin, that
 * prints before its end, or whose collisions count.
 */
function planAnswer(dir: string, argv: readonly string[]): 'now' | 'in turn' | null {
  const { version } = readJson(join(dir, 'config.json'), { version: '0.0.0' })
  const features = featuresOf(version)
  const parsed = parseArguments(commandTable(features), version, argv)
  if (parsed.kind !== 'call') return 'now'
  const { call } = parsed
  const [group, verb = ''] = call.path
  if (group === 'pack') {
    const isOwn = call.path[1] !== 'create' || call.has('image') || !call.one('output')?.startsWith('/')
    return isOwn ? null : 'in turn'
  }
  if (group !== 'machine') return null
  if (READS.has(verb)) return 'now'
  // These lie where the caller stands.
  const paths = ['from', 'volume', 'smolfile'].flatMap((option) => call.all(option))
  if (paths.some((path) => !path.startsWith('/'))) return null
  if (/^[.-]|^[^/].*\.(tar|tar\.gz|tgz)$/.test(call.one('image') ?? '')) return null
  if (call.has('secret-env') || call.has('secret-file')) return null
  if (call.all('env').some((entry) => !entry.includes('='))) return null
  if (verb === 'create') return features.losesCreateRaces || call.rest.length > 0 ? null : 'in turn'
  const name = call.one('name') ?? call.positional('NAME') ?? 'default'
  if (Object.keys(findMachine(dir, name)?.secretRefs ?? {}).length > 0) return null
  if (verb === 'exec') {
    const isLive = ['interactive', 'tty', 'stream'].some((option) => call.has(option))
    return isLive && (call.has('timeout') || call.has('detach')) ? null : 'now'
  }
  if (verb === 'delete' && !call.has('force')) return null
  return CHANGES.has(verb) ? 'in turn' : null
}

let turn: Promise<unknown> = Promise.resolve()

async function answer(dir: string, argv: readonly string[], pid: number): Promise<QuickAnswer | null> {
  const plan = planAnswer(dir, argv)
  if (plan === null) return null
  const chunks: { readonly out: Buffer[]; readonly err: Buffer[] } = { out: [], err: [] }
  const sink: Sink = { out: (bytes) => chunks.out.push(bytes), err: (bytes) => chunks.err.push(bytes) }
  let handed: HandedOver | null = null
  const handOver = (command: HandedOver) => {
    handed = command
  }
  const work = () => call(dir, argv, pid, { sink, handOver })
  const done = plan === 'now' ? work() : turn.then(work)
  if (plan === 'in turn') turn = done.catch(() => undefined)
  const exitCode = await done
  return handed ?? { exitCode, stdout: Buffer.concat(chunks.out), stderr: Buffer.concat(chunks.err) }
}

const [first = '', ...words] = process.argv.slice(2)
if (first === SERVE) {
  const dir = words[0] ?? ''
  await serveQuick(dir, (argv, pid) => answer(dir, argv, pid))
}
process.exitCode = await call(first, words, process.pid)
