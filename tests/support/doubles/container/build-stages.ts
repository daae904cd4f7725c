import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, matchesGlob, posix, relative } from 'node:path'
import { mustRun, startGuest } from '../lib/guest.ts'
import { resolveInRoot, resolveUser } from '../lib/in-root.ts'
import { copyRoot, unpackLayer } from '../lib/root-file-system.ts'
import { readTarEntries } from '../lib/tar-entries.ts'
import { endOf } from './attach.ts'
import { unreachable } from './create.ts'
import { expand, type Instruction, parseCommand, parsePairs, splitWords } from './dockerfile.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import {
  findImage,
  type ImageConfig,
  type Platform,
  pickVariant,
  unpackVariant,
  withContent,
} from './image-store.ts'
import { mergeEnv } from './parse-values.ts'
import { guestCommand } from './run-guest.ts'

export interface BuildInput {
  readonly context: string
  readonly platform: Platform
  readonly args: ReadonlyMap<string, string>
  readonly target: string | null
}

type RunConfig = NonNullable<ImageConfig['config']>

interface Stage {
  readonly name: string
  readonly root: string
  config: RunConfig
  /** Names that `ARG` declared, with their values. */
  readonly args: Map<string, string>
  /** A command from the base goes as soon as an entrypoint is named here. */
  hasOwnCommand: boolean
}

const failed = (line: number, message: string) =>
  new ContainerError('internalError', `failed to build: line ${line}: ${message}`)

/** Does what the instructions say, up to the target or the last stage. `work` holds the stages' file systems. */
export async function buildStages(
  engine: Engine,
  instructions: readonly Instruction[],
  input: BuildInput,
  work: string,
): Promise<{ readonly root: string; readonly config: RunConfig }> {
  const stages: Stage[] = []
  const before = new Map<string, string>()
  for (const instruction of instructions) {
    const stage = stages.at(-1)
    if (instruction.name === 'FROM') {
      if (stage && input.target !== null && stage.name === input.target) break
      stages.push(beginStage(engine, instruction, input, work, stages, before))
    } else if (instruction.name === 'ARG' && !stage) {
      for (const [name, value] of parsePairs(instruction, before))
        before.set(name, input.args.get(name) ?? value)
    } else if (!stage) throw failed(instruction.line, 'no build stage in current context')
    else await actOn(engine, stage, instruction, input, stages, before)
  }
  const last = input.target === null ? stages.at(-1) : stages.find(({ name }) => name === input.target)
  if (!last)
    throw failed(
      0,
      input.target === null
        ? 'the Dockerfile has no stage'
        : `target stage ${input.target} could not be found`,
    )
  return last
}

function beginStage(
  engine: Engine,
  instruction: Instruction,
  input: BuildInput,
  work: string,
  stages: readonly Stage[],
  before: ReadonlyMap<string, string>,
): Stage {
  const words = splitWords(instruction.text, instruction.line).map((word) => expand(word, before))
  const [base = '', as, name] = words
  if (words.length !== 1 && (words.length !== 3 || as?.toLowerCase() !== 'as'))
    throw failed(instruction.line, 'FROM requires either one or three arguments')
  const root = join(work, String(stages.length))
  const own = {
    name: name ?? String(stages.length),
    root,
    args: new Map<string, string>(),
    hasOwnCommand: false,
  }
  const earlier = stages.find((stage) => stage.name === base)
  if (earlier) {
    copyRoot(earlier.root, root)
    return { ...own, config: earlier.config }
  }
  if (base === 'scratch') {
    mkdirSync(root, { recursive: true })
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    return { ...own, config: { Env: [`PATH=${path}`], WorkingDir: '/' } }
  }
  const image = findImage(engine, base) ?? unreachable(base)
  const variant = pickVariant(engine, image, input.platform)
  withContent(engine, () => copyRoot(unpackVariant(engine, variant), root))
  return { ...own, config: variant.config.config ?? {} }
}

function variablesOf(stage: Stage): ReadonlyMap<string, string> {
  const env = (stage.config.Env ?? []).map((line): [string, string] => {
    const at = line.indexOf('=')
    return [line.slice(0, at), line.slice(at + 1)]
  })
  return new Map([...stage.args, ...env])
}

async function actOn(
  engine: Engine,
  stage: Stage,
  instruction: Instruction,
  input: BuildInput,
  stages: readonly Stage[],
  before: ReadonlyMap<string, string>,
): Promise<void> {
  const { config } = stage
  const variables = variablesOf(stage)
  const words = () => splitWords(instruction.text, instruction.line).map((word) => expand(word, variables))
  const pairs = () => parsePairs(instruction, variables)
  switch (instruction.name) {
    case 'ENV':
      stage.config = {
        ...config,
        Env: mergeEnv(
          config.Env ?? [],
          pairs().map(([name, value]) => `${name}=${value}`),
        ),
      }
      return
    case 'ARG':
      for (const [name, value] of pairs())
        stage.args.set(name, input.args.get(name) ?? (value || (before.get(name) ?? '')))
      return
    case 'LABEL':
      stage.config = { ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs()) } }
      return
    case 'WORKDIR': {
      const path = posix.resolve(config.WorkingDir || '/', words()[0] ?? '/')
      mkdirSync(resolveInRoot(stage.root, path), { recursive: true })
      stage.config = { ...config, WorkingDir: path }
      return
    }
    case 'USER':
      stage.config = { ...config, User: words()[0] ?? '' }
      return
    case 'STOPSIGNAL':
      stage.config = { ...config, StopSignal: words()[0] ?? '' }
      return
    case 'EXPOSE': {
      const ports = words().map((port) => [port.includes('/') ? port : `${port}/tcp`, {}])
      stage.config = { ...config, ExposedPorts: { ...config.ExposedPorts, ...Object.fromEntries(ports) } }
      return
    }
    case 'CMD':
      stage.hasOwnCommand = true
      stage.config = { ...config, Cmd: parseCommand(instruction.text) }
      return
    case 'ENTRYPOINT': {
      const { Cmd, ...others } = config
      const kept = stage.hasOwnCommand && Cmd ? { Cmd } : {}
      stage.config = { ...others, ...kept, Entrypoint: parseCommand(instruction.text) }
      return
    }
    case 'COPY':
    case 'ADD':
      return copyInto(stage, instruction, words(), input, stages)
    case 'RUN':
      return run(engine, stage, instruction)
    default:
      throw failed(instruction.line, `unknown instruction: ${instruction.name}`)
  }
}

function copyInto(
  stage: Stage,
  instruction: Instruction,
  words: readonly string[],
  input: BuildInput,
  stages: readonly Stage[],
): void {
  const places = instruction.text.trimStart().startsWith('[') ? parseCommand(instruction.text) : words
  const sources = places.slice(0, -1)
  const target = places.at(-1) ?? ''
  if (sources.length === 0)
    throw failed(instruction.line, `${instruction.name} requires at least two arguments`)
  const from = instruction.flags.from
  const other =
    from === undefined ? null : stages.find(({ name }, at) => name === from || String(at) === from)
  if (from !== undefined && !other) throw failed(instruction.line, `stage ${from} not found`)
  const base = other ? other.root : input.context
  const path = posix.resolve(stage.config.WorkingDir || '/', target)
  const isFolder = target.endsWith('/') || target === '.' || sources.length > 1
  const owner = instruction.flags.chown
  const user = owner === undefined ? null : resolveUser(stage.root, owner)
  if (owner !== undefined && !user) throw failed(instruction.line, `unable to find user ${owner}`)
  for (const source of sources) {
    const full = resolveInRoot(base, source)
    if (!existsSync(full) || (!other && isIgnored(input.context, full)))
      throw failed(instruction.line, `failed to compute cache key: "/${source}": not found`)
    const isSourceFolder = lstatSync(full).isDirectory()
    const there = resolveInRoot(stage.root, path)
    if (instruction.name === 'ADD' && !isSourceFolder && isArchive(full)) {
      mkdirSync(there, { recursive: true })
      unpackLayer(there, full)
      continue
    }
    const isIn = isFolder || (existsSync(there) && lstatSync(there).isDirectory())
    const place = isSourceFolder ? there : isIn ? join(there, basename(full)) : there
    mkdirSync(isSourceFolder ? place : join(place, '..'), { recursive: true })
    const names = isSourceFolder
      ? readdirSync(full).filter((name) => other || !isIgnored(input.context, join(full, name)))
      : []
    const copies = isSourceFolder
      ? names.map((name) => [join(full, name), join(place, name)])
      : [[full, place]]
    for (const [one = '', two = ''] of copies) {
      mustRun('cp', ['-a', '-T', one, two])
      mustRun('chown', ['-Rh', user ? `${user.uid}:${user.gid}` : '0:0', two])
      if (instruction.flags.chmod) mustRun('chmod', ['-R', instruction.flags.chmod, two])
    }
  }
}

function isArchive(path: string): boolean {
  try {
    return readTarEntries(path).length > 0
  } catch {
    const head = readFileSync(path).subarray(0, 4).toString('hex')
    return head.startsWith('1f8b') || head === '28b52ffd'
  }
}

/** Plain names and patterns of a `.dockerignore`; exceptions are not something that the double knows. */
function isIgnored(context: string, path: string): boolean {
  const file = join(context, '.dockerignore')
  if (!existsSync(file)) return false
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (lines.some((line) => line.startsWith('!')))
    throw failed(0, 'the double knows no exceptions in .dockerignore')
  const name = relative(context, path)
  return lines.some((line) => matchesGlob(name, line.replace(/^\/|\/$/g, '')))
}

async function run(engine: Engine, stage: Stage, instruction: Instruction): Promise<void> {
  const command = guestCommand(stage.root, {
    argv: parseCommand(instruction.text),
    environment: mergeEnv(
      [...stage.args].map(([name, value]) => `${name}=${value}`),
      stage.config.Env ?? [],
    ),
    user: stage.config.User ? { raw: { userString: stage.config.User } } : { id: { uid: 0, gid: 0 } },
    workingDirectory: stage.config.WorkingDir || '/',
  })
  const guest = { root: stage.root, runDir: `${stage.root}.run`, devDir: engine.path('dev') }
  const child = await startGuest(guest, { command, stdio: ['ignore', 2, 2], detached: false })
  const code = await endOf(child)
  if (code !== 0)
    throw failed(
      instruction.line,
      `process "${instruction.text}" did not complete successfully: exit code: ${code}`,
    )
}
