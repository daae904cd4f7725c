import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { newId } from '../lib/digest.ts'
import { copyRoot } from '../lib/root-file-system.ts'
import { optionOf, optionsOf, type Parsed } from './arguments.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import {
  findImage,
  type ImageConfig,
  MACHINE_PLATFORM,
  type Platform,
  parsePlatform,
  pickVariant,
  unpackVariant,
  withContent,
} from './image-store.ts'
import {
  mergeEnv,
  parseEnv,
  parseEnvFile,
  parseLabels,
  parseMemory,
  parseMount,
  parsePort,
  parseVolume,
  tmpfs,
} from './parse-values.ts'
import { type ContainerRecord, containerPath, findContainer, type User } from './record.ts'
import { normaliseReference } from './references.ts'

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** The platform that options ask for; null: none asked. */
export function askedPlatform(parsed: Parsed): Platform | null {
  const platform = optionOf(parsed, 'platform') ?? process.env.CONTAINER_DEFAULT_PLATFORM
  if (platform) return parsePlatform(platform)
  const architecture = optionOf(parsed, 'arch')
  const os = optionOf(parsed, 'os')
  if (architecture === undefined && os === undefined) return null
  return parsePlatform(`${os ?? 'linux'}/${architecture ?? MACHINE_PLATFORM.architecture}`)
}

/** Environment from the options of a process, over what the image or the container brings. */
export function askedEnv(parsed: Parsed, base: readonly string[]): readonly string[] {
  const files = optionsOf(parsed, 'env-file').flatMap((path) => {
    try {
      return parseEnvFile(readFileSync(resolve(path), 'utf8'), process.env)
    } catch {
      throw new ContainerError('notFound', `envfile at ${path} not found`)
    }
  })
  return mergeEnv(base, files, parseEnv(optionsOf(parsed, 'env'), process.env))
}

/** User from the options of a process; null: none asked. */
export function askedUser(parsed: Parsed): User | null {
  const user = optionOf(parsed, 'user')
  if (user !== undefined) return { raw: { userString: user } }
  const uid = optionOf(parsed, 'uid')
  const gid = optionOf(parsed, 'gid')
  if (uid === undefined && gid === undefined) return null
  return { id: { uid: Number(uid ?? 0), gid: Number(gid ?? 0) } }
}

/** The program and its arguments: `--entrypoint` drops the image's command. */
export function commandOf(
  config: ImageConfig['config'],
  entrypoint: string | undefined,
  args: readonly string[],
): readonly string[] {
  const first = entrypoint !== undefined ? [entrypoint] : (config?.Entrypoint ?? [])
  const further = args.length > 0 ? args : entrypoint !== undefined ? [] : (config?.Cmd ?? [])
  const command = [...first, ...further].filter((_, at, all) => all.length > 0 && at >= 0)
  if (command.length === 0 || command[0] === '')
    throw new ContainerError('invalidArgument', 'command/entrypoint not specified for container process')
  return command
}

/**
 * Makes a container from its options and its image.
 * @param verb the verb decides how a name that is taken is told
 */
export function createContainer(engine: Engine, parsed: Parsed, verb: 'create' | 'run'): ContainerRecord {
  const id = optionOf(parsed, 'name') ?? newId()
  if (!NAME.test(id) || id.length > 63)
    throw new ContainerError('invalidArgument', `container ID ${id} is not a valid container ID`)
  const memory = optionOf(parsed, 'memory')
  const memoryInBytes = memory === undefined ? 1024 ** 3 : parseMemory(memory)
  const labels = parseLabels(optionsOf(parsed, 'label'))
  const mounts = [
    ...optionsOf(parsed, 'tmpfs').map(tmpfs),
    ...optionsOf(parsed, 'volume').map(parseVolume),
    ...optionsOf(parsed, 'mount').map(parseMount),
  ]
  const ports = optionsOf(parsed, 'publish').map(parsePort)
  for (const network of optionsOf(parsed, 'network')) {
    const name = network.split(',')[0] ?? ''
    if (name !== 'default') throw new ContainerError('notFound', `network ${name} not found`)
  }
  const cpus = Number(optionOf(parsed, 'cpus') ?? 4)
  if (cpus < 1) throw new ContainerError('invalidArgument', `invalid number of cpus: ${cpus}`)
  engine.needService()
  if (findContainer(engine, id)) throw taken(id, verb)
  if (!engine.system().kernel)
    throw new ContainerError(
      'notFound',
      `default kernel not configured for architecture ${MACHINE_PLATFORM.architecture}, please use the \`container system kernel set\` command to configure it`,
    )
  const reference = parsed.positional[0] ?? ''
  const image = findImage(engine, reference) ?? unreachable(reference)
  const variant = pickVariant(engine, image, askedPlatform(parsed) ?? MACHINE_PLATFORM)
  const { config } = variant.config
  const [executable = '', ...args] = commandOf(config, optionOf(parsed, 'entrypoint'), parsed.rest)
  const imageUser: User = config?.User ? { raw: { userString: config.User } } : { id: { uid: 0, gid: 0 } }
  const record: ContainerRecord = {
    id,
    createdAt: Date.now(),
    image: { reference: image.reference, descriptor: image.descriptor },
    stopSignal: config?.StopSignal ?? null,
    executable,
    arguments: args,
    environment: askedEnv(parsed, config?.Env ?? []),
    user: askedUser(parsed) ?? imageUser,
    workingDirectory: optionOf(parsed, 'workdir') ?? (config?.WorkingDir || '/'),
    terminal: parsed.flags.has('tty'),
    interactive: parsed.flags.has('interactive'),
    labels,
    mounts,
    platform: variant.platform,
    ports,
    network: true,
    readOnly: parsed.flags.has('read-only'),
    useInit: parsed.flags.has('init'),
    cpus,
    memoryInBytes,
    removeAtEnd: parsed.flags.has('rm'),
    capAdd: optionsOf(parsed, 'cap-add'),
    capDrop: optionsOf(parsed, 'cap-drop'),
  }
  withContent(engine, () => build(engine, record, unpackVariant(engine, variant), verb))
  const cidFile = optionOf(parsed, 'cidfile')
  if (cidFile !== undefined) {
    if (existsSync(cidFile)) throw new ContainerError('exists', `container id file found: ${cidFile}`)
    writeFileSync(cidFile, id)
  }
  return record
}

/** Appears with its files as one, so that of two with the same name one wins. */
function build(engine: Engine, record: ContainerRecord, rootfs: string, verb: 'create' | 'run'): void {
  const dir = engine.path('making', newId())
  try {
    mkdirSync(join(dir, 'run'), { recursive: true, mode: 0o700 })
    for (let room = 1024 * 1024; room > 0; ) room -= engine.strikes.beforeBytes(room)
    copyRoot(rootfs, join(dir, 'rootfs'))
    writeFileSync(join(dir, 'config.json'), JSON.stringify(record))
    renameSync(dir, containerPath(engine, record.id))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST') throw taken(record.id, verb)
    throw error
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function taken(id: string, verb: 'create' | 'run'): ContainerError {
  const text = verb === 'run' ? `container with id ${id} already exists` : `container already exists: ${id}`
  return new ContainerError('exists', text)
}

/** Nothing can be pulled: the machine of the double has no network. */
export function unreachable(reference: string): never {
  const full = normaliseReference(reference)
  const host = full.startsWith('docker.io/') ? 'registry-1.docker.io' : full.split('/')[0]
  throw new ContainerError(
    'internalError',
    `failed to pull image ${full}`,
    new ContainerError('unknown', `HTTP request to https://${host}/v2/ failed: could not resolve host`),
  )
}
