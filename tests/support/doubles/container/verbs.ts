import type { OptionSpec, Parsed, VerbSpec } from './arguments.ts'
import { attachTo } from './attach.ts'
import { build } from './build.ts'
import { createContainer } from './create.ts'
import type { Engine } from './engine.ts'
import { ExitWith } from './errors.ts'
import { exec } from './exec.ts'
import { copy, exportContainer } from './files.ts'
import {
  imageDelete,
  imageInspect,
  imageList,
  imageLoad,
  imagePrune,
  imagePull,
  imagePush,
  imageSave,
  imageTag,
} from './image-verbs.ts'
import { kill, prune, remove, removeContainer, start, stop } from './lifecycle.ts'
import {
  choice,
  DEBUG,
  flag,
  integer,
  list,
  MANAGEMENT,
  PROCESS,
  PROGRESS,
  RESOURCES,
  value,
} from './options.ts'
import type { ContainerRecord } from './record.ts'
import { startContainer } from './run-guest.ts'
import { inspect, list as listContainers, logs, stats } from './show.ts'
import { systemDf, systemStart, systemStatus, systemStop, systemVersion } from './system.ts'
import type { Gates } from './versions.ts'

export interface Verb {
  readonly names: readonly string[]
  readonly overview: string
  readonly spec: VerbSpec
  readonly act: (engine: Engine, parsed: Parsed) => void | Promise<void>
  readonly since?: (gates: Gates) => boolean
}

const IDS = { name: 'container-ids', passthrough: false }
const IMAGES = { name: 'images', passthrough: false }
const ARGUMENTS = { name: 'arguments', passthrough: true }
const PLATFORM = [value('a', 'arch'), value('os'), value('platform')]
const REGISTRY = [choice('scheme', ['http', 'https', 'auto']), PROGRESS]

function verb(
  names: string,
  overview: string,
  act: Verb['act'],
  options: readonly OptionSpec[] = [],
  words: Partial<VerbSpec> = {},
): Verb {
  return {
    names: names.split('|'),
    overview,
    act,
    spec: { required: [], ...words, options: [...options, DEBUG] },
  }
}

/** A failure of what ran is this program's own end. */
function endWith(engine: Engine, code: number): void {
  engine.flush()
  if (code !== 0) throw new ExitWith(code)
}

async function run(engine: Engine, parsed: Parsed): Promise<void> {
  const record = createContainer(engine, parsed, 'run')
  try {
    if (!parsed.flags.has('detach')) {
      const code = await attachTo(engine, record)
      if (record.removeAtEnd) removeContainer(engine, record.id)
      endWith(engine, code)
      return
    }
    await startContainer(engine, record, 'log')
  } catch (error) {
    if (error instanceof ExitWith) throw error
    discard(engine, record)
    throw error
  }
  engine.print(record.id)
}

/** A run that couldn't begin leaves nothing. */
function discard(engine: Engine, record: ContainerRecord): void {
  try {
    removeContainer(engine, record.id)
  } catch {
    // It was removed by the run's own end.
  }
}

/** The verbs of a version; two words where the second belongs to the first. */
export function verbsOf(gates: Gates): readonly Verb[] {
  const format = choice(
    'format',
    gates.hasToml ? ['json', 'table', 'yaml', 'toml'] : ['json', 'table', 'yaml'],
  )
  const all: readonly Verb[] = [
    verb(
      'create',
      'Create a new container',
      (engine, parsed) => engine.print(createContainer(engine, parsed, 'create').id),
      [...PROCESS, ...RESOURCES, ...MANAGEMENT],
      { required: ['image'], rest: ARGUMENTS },
    ),
    verb('run', 'Run a container', run, [...PROCESS, ...RESOURCES, ...MANAGEMENT, PROGRESS], {
      required: ['image'],
      rest: ARGUMENTS,
    }),
    verb(
      'start',
      'Start a container',
      async (engine, parsed) => endWith(engine, await start(engine, parsed)),
      [flag('a', 'attach'), flag('i', 'interactive')],
      {
        required: ['container-id'],
      },
    ),
    verb(
      'stop',
      'Stop one or more running containers',
      stop,
      [flag('a', 'all'), value('s', 'signal'), integer('t', 'time')],
      { rest: IDS },
    ),
    verb(
      'kill',
      'Kill or signal one or more running containers',
      kill,
      [flag('a', 'all'), value('s', 'signal')],
      { rest: IDS },
    ),
    verb('delete|rm', 'Delete one or more containers', remove, [flag('a', 'all'), flag('f', 'force')], {
      rest: IDS,
    }),
    verb('prune', 'Remove all stopped containers', prune),
    verb('list|ls', 'List running containers', listContainers, [
      flag('a', 'all'),
      format,
      flag('q', 'quiet'),
    ]),
    verb('inspect', 'Display information about one or more containers', inspect, [], {
      rest: { ...IDS, atLeastOne: true },
    }),
    verb(
      'exec',
      'Run a new command in a running container',
      async (engine, parsed) => endWith(engine, await exec(engine, parsed)),
      [...PROCESS, flag('d', 'detach')],
      {
        required: ['container-id'],
        rest: { ...ARGUMENTS, atLeastOne: true },
      },
    ),
    verb('logs', 'Fetch container logs', logs, [flag('boot'), flag('f', 'follow'), integer('n')], {
      required: ['container-id'],
    }),
    verb('stats', 'Display resource usage statistics for containers', stats, [format, flag('no-stream')], {
      rest: IDS,
    }),
    {
      ...verb('copy|cp', 'Copy files between a container and the local filesystem', copy, [], {
        required: ['source', 'destination'],
      }),
      since: (known) => known.hasCopy,
    },
    verb(
      'export',
      "Export a container's filesystem as a tar archive",
      exportContainer,
      [value('o', 'output')],
      { required: ['id'] },
    ),
    verb(
      'build',
      'Build an image from a Dockerfile or Containerfile',
      build,
      [
        ...RESOURCES,
        ...PLATFORM,
        list('build-arg'),
        value('f', 'file'),
        list('l', 'label'),
        flag('no-cache'),
        value('o', 'output'),
        choice('progress', ['auto', 'plain', 'tty']),
        flag('pull'),
        flag('q', 'quiet'),
        list('secret'),
        value('ssh'),
        list('t', 'tag'),
        value('target'),
        integer('vsock-port'),
      ],
      { rest: { name: 'context-dir', passthrough: false } },
    ),
    verb('image list|image ls', 'List images', imageList, [format, flag('q', 'quiet'), flag('v', 'verbose')]),
    verb('image inspect', 'Display information about one or more images', imageInspect, [], {
      rest: { ...IMAGES, atLeastOne: true },
    }),
    verb(
      'image pull',
      'Pull an image',
      imagePull,
      [...REGISTRY, ...PLATFORM, integer('max-concurrent-downloads')],
      { required: ['reference'] },
    ),
    verb('image push', 'Push an image', imagePush, [...REGISTRY, ...PLATFORM], { required: ['reference'] }),
    verb(
      'image save',
      'Save one or more images as an OCI compatible tar archive',
      imageSave,
      [value('o', 'output'), ...PLATFORM],
      { rest: { ...IMAGES, atLeastOne: true } },
    ),
    verb('image load', 'Load images from an OCI compatible tar archive', imageLoad, [
      value('i', 'input'),
      flag('f', 'force'),
    ]),
    verb('image tag', 'Create a new reference for an existing image', imageTag, [], {
      required: ['source', 'target'],
    }),
    verb(
      'image delete|image rm',
      'Delete one or more images',
      imageDelete,
      [flag('a', 'all'), flag('f', 'force')],
      { rest: IMAGES },
    ),
    verb('image prune', 'Remove all dangling images', imagePrune, [flag('a', 'all')]),
    verb('system start', 'Start container services', systemStart, [
      value('a', 'app-root'),
      flag('disable-kernel-install'),
      flag('enable-kernel-install'),
      value('install-root'),
      value('log-root'),
      integer('timeout'),
    ]),
    verb('system stop', 'Stop all container services', systemStop, [value('p', 'prefix')]),
    verb('system status', 'Show the status of container services', systemStatus, [
      format,
      value('p', 'prefix'),
    ]),
    verb('system version', 'Show version information', systemVersion, [format]),
    verb('system df', 'Show disk usage for images, containers, and volumes', systemDf, [format]),
  ]
  return all.filter(({ since }) => since === undefined || since(gates))
}
