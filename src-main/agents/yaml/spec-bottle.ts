import { resolve } from 'node:path'
import type { MountPlan } from '../../backends/backend.ts'
import type { BottleLayer, Json, ProviderName } from '../definitions.ts'
import { type Fields, isEmpty, readBoolean, readChoice, readFields, readText } from '../fields.ts'
import type { Field } from '../frontmatter.ts'
import { readEnv, readImage, readSecretNames } from '../parse-environment.ts'
import { expandHome, type PathBase, readMounts } from '../parse-mounts.ts'
import { quoted, type Report } from '../problems.ts'
import { splitEnv } from './env-templates.ts'

/** Where images that run agents work. */
const WORKDIR = '/workspace'

export interface BottleBase extends PathBase {
  readonly name: string
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly provider: ProviderName | null
  readonly skipsPermissions: boolean
}

export interface BottleKeys {
  readonly bottle: BottleLayer
  readonly envTemplates: Readonly<Record<string, string>>
  /** The folder that a new bottle begins with a copy of; null for an empty workspace. */
  readonly copyFrom: string | null
  readonly notices: readonly string[]
  readonly refusals: readonly string[]
  readonly later: Readonly<Record<string, Json>>
}

/** The surroundings that agent YAML describes: `container`, `workdir`, `env`, `secrets`. */
export function readOwnBottle(spec: Fields, base: BottleBase, report: Report): BottleKeys {
  const container = readContainer(spec.get('container'), base, report)
  const isContainer = container.runtime === 'docker'
  const given = readEnv(spec.get('env'), report)
  const secrets = readSecretNames(spec.get('secrets'), given, report)
  const { plain, templates } = splitEnv(given, base.env, base.homeDir)
  const workdir = readWorkdir(spec, base, isContainer, report)
  const bottle: BottleLayer = {
    name: base.name,
    file: base.file,
    extends: [],
    ...(container.image === undefined ? {} : { origin: { image: container.image } }),
    backend: isContainer ? 'docker' : 'host',
    ...(isContainer ? { workdir: WORKDIR } : {}),
    env: plain,
    secrets: [...new Set([...secrets, ...Object.keys(templates)])],
    mounts: isContainer ? [...container.mounts, ...workdir.mounts] : [],
    resources: {},
    sidecars: {},
    egress: isContainer && container.network === 'none' ? { routes: [] } : null,
    gitGate: null,
    provider: {
      name: base.provider,
      args: null,
      permissions: base.skipsPermissions ? 'skip' : null,
      other: {},
    },
    health: null,
  }
  const refusal =
    container.runtime === 'apptainer'
      ? ['`container.runtime: apptainer` is not supported. Use docker, or none for this machine.']
      : []
  return {
    bottle,
    envTemplates: templates,
    copyFrom: workdir.copyFrom,
    notices: [...container.notices, ...workdir.notices],
    refusals: [...refusal, ...workdir.refusals],
    later: container.runtime === 'apptainer' ? { container: container.part } : {},
  }
}

interface Container {
  readonly runtime: 'none' | 'docker' | 'apptainer'
  readonly image: string | undefined
  readonly mounts: readonly MountPlan[]
  readonly network: 'host' | 'bridge' | 'none' | undefined
  readonly notices: readonly string[]
  readonly part: Json
}

function readContainer(field: Field | undefined, base: PathBase, report: Report): Container {
  const keys = ['runtime', 'image', 'volumes', 'network', 'mount_host_claude']
  const fields = field ? readFields(field.value, '`container`', keys, report) : new Map<string, Field>()
  const runtime = readChoice(fields.get('runtime'), ['none', 'docker', 'apptainer'], report) ?? 'none'
  const image = runtime === 'apptainer' ? undefined : readImage(fields.get('image'), report)
  const network = readChoice(fields.get('network'), ['host', 'bridge', 'none'], report)
  const volumes = readMounts(fields.get('volumes'), base, report)
  const hasClaude = readBoolean(fields.get('mount_host_claude'), report) === true
  const claude: MountPlan = {
    type: 'bind',
    source: resolve(base.homeDir, '.claude'),
    target: '/home/agent/.claude',
    readOnly: true,
    external: false,
  }
  const unused = ['image', 'volumes', 'network'].filter((key) => {
    const entry = fields.get(key)
    return entry !== undefined && !isEmpty(entry.value)
  })
  const notices = [
    ...(runtime === 'none' && unused.length > 0
      ? [`\`container.runtime\` is none, so these of its keys do nothing: ${unused.join(', ')}.`]
      : []),
    ...(runtime === 'docker' && network === 'host'
      ? ['`container.network: host` is not offered: the bottle gets its own network with a way out.']
      : []),
    ...(runtime === 'docker' && hasClaude
      ? ['`mount_host_claude`: the agent can read ~/.claude of this machine, and snapshots leave it out.']
      : []),
  ]
  return {
    runtime,
    image: runtime === 'docker' ? image : undefined,
    mounts: hasClaude ? [...volumes, claude] : volumes,
    network,
    notices,
    part: { runtime, image: readText(fields.get('image'), () => {}) ?? null },
  }
}

interface Workdir {
  readonly copyFrom: string | null
  readonly mounts: readonly MountPlan[]
  readonly notices: readonly string[]
  readonly refusals: readonly string[]
}

/** A bottle has a workspace of its own, so that it can be frozen: `workdir` is what that one begins with. */
function readWorkdir(spec: Fields, base: PathBase, isContainer: boolean, report: Report): Workdir {
  const none = { copyFrom: null, mounts: [], notices: [], refusals: [] }
  const field = spec.get('workdir')
  const given = readText(field, report)
  const modeField = spec.get('workdir-mode')
  const mode = readChoice(modeField, ['copy', 'mount', 'empty'], report) ?? 'copy'
  if (mode === 'mount' && modeField && !isContainer) {
    report(
      modeField.line,
      '`workdir-mode: mount` needs a container.',
      'Set `container.runtime: docker`, or use copy.',
    )
  }
  if (field === undefined || given === undefined || given === '') return none
  const path = resolve(base.folder, expandHome(given, base.homeDir))
  if (mode === 'empty') return none
  if (mode === 'mount') {
    const notice = `The agent works in ${path} itself, and snapshots leave that folder out.`
    const mount = { type: 'bind', source: path, target: WORKDIR, readOnly: false, external: false } as const
    return { ...none, mounts: [mount], notices: [notice] }
  }
  if (path === '/' || path === resolve(base.homeDir)) {
    const what = `\`workdir\` is ${quoted(path)}, which is too much to begin a bottle with.`
    return { ...none, refusals: [`${what} Name a folder in it, or set \`workdir-mode: empty\`.`] }
  }
  return { ...none, copyFrom: path }
}
