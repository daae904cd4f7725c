import { isAbsolute, join, resolve, sep } from 'node:path'
import {
  BACKEND_NAMES,
  type BottleLayer,
  type BuildDefinition,
  PROVIDER_NAMES,
  type ProviderSettings,
} from './definitions.ts'
import { type Fields, isEmpty, readChoice, readFields, readText, readTexts, toJson } from './fields.ts'
import type { Field, Located } from './frontmatter.ts'
import { isManifestName } from './names.ts'
import { readEnv, readImage, readSecretNames, readSidecars } from './parse-environment.ts'
import { readHealth } from './parse-health.ts'
import { expandHome, type PathBase, readMounts } from './parse-mounts.ts'
import { readEgress, readGitGate } from './parse-policy.ts'
import { readResources } from './parse-resources.ts'
import { quoted, type Report } from './problems.ts'

const PERMISSIONS = ['skip', 'ask'] as const
const PROVIDER_KEYS = ['provider', 'agent-provider', 'agent_provider'] as const

export const BOTTLE_KEYS = [
  'extends',
  'image',
  'build',
  'backend',
  'user',
  'workdir',
  'env',
  'secrets',
  'mounts',
  'resources',
  'sidecars',
  'egress',
  'git-gate',
  'supervise',
  'health',
  ...PROVIDER_KEYS,
] as const

export interface BottleBase extends PathBase {
  readonly name: string
  readonly file: string
}

/** Builds one bottle layer from its frontmatter; whatever is wrong is reported and left out. */
export function bottleFromFields(root: Located, base: BottleBase, report: Report): BottleLayer {
  const fields = readFields(root, 'A bottle', BOTTLE_KEYS, report)
  const origin = readOrigin(fields, base, report)
  const backend = readChoice(fields.get('backend'), BACKEND_NAMES, report)
  const user = readUser(fields.get('user'), report)
  const workdir = readWorkdir(fields.get('workdir'), report)
  const supervise = fields.get('supervise')
  const env = readEnv(fields.get('env'), report)
  const secrets = readSecretNames(fields.get('secrets'), env, report)
  return {
    name: base.name,
    file: base.file,
    extends: readExtends(fields.get('extends'), report),
    ...(origin ? { origin } : {}),
    ...(backend ? { backend } : {}),
    ...(user !== undefined ? { user } : {}),
    ...(workdir !== undefined ? { workdir } : {}),
    env,
    secrets,
    mounts: readMounts(fields.get('mounts'), base, report),
    resources: readResources(fields.get('resources'), report),
    sidecars: readSidecars(fields.get('sidecars'), report),
    // An empty `egress:` is still a declaration: what it leaves out is not allowed.
    egress: readEgress(fields.get('egress'), report),
    gitGate: readGitGate(fields.get('git-gate'), report),
    ...(supervise && !isEmpty(supervise.value) ? { supervise: toJson(supervise.value) } : {}),
    provider: readProvider(fields, report),
    health: readHealth(fields.get('health'), report),
  }
}

function readExtends(field: Field | undefined, report: Report): BottleLayer['extends'] {
  const parents: { name: string; line: number }[] = []
  for (const { text, line } of readTexts(field, report, true) ?? []) {
    if (isManifestName(text)) parents.push({ name: text, line })
    else report(line, `${quoted(text)} can't be the name of a bottle.`, 'Use letters, digits and hyphens.')
  }
  return parents
}

function readOrigin(fields: Fields, base: PathBase, report: Report): BottleLayer['origin'] {
  const imageField = fields.get('image')
  const buildField = fields.get('build')
  const image = readImage(imageField, report)
  const build = readBuild(buildField, base, report)
  if (image !== undefined && build && buildField) {
    report(buildField.line, '`image` and `build` exclude each other.', 'Keep one of them.')
  }
  if (image !== undefined) return { image }
  return build ? { build } : undefined
}

function readBuild(field: Field | undefined, base: PathBase, report: Report): BuildDefinition | undefined {
  if (!field || isEmpty(field.value)) return undefined
  const fields = readFields(field.value, '`build`', ['context', 'dockerfile', 'target'], report)
  const context = readText(fields.get('context'), report) ?? '.'
  const dockerfile = readText(fields.get('dockerfile'), report) ?? 'Dockerfile'
  const folder = resolve(base.folder, expandHome(context, base.homeDir))
  const inside = join(folder, dockerfile)
  if (isAbsolute(dockerfile) || !inside.startsWith(folder + sep)) {
    report(fields.get('dockerfile')?.line ?? field.line, '`dockerfile` must lie inside the build context.')
  }
  return { context: folder, dockerfile, target: readText(fields.get('target'), report) ?? null }
}

function readUser(field: Field | undefined, report: Report): string | undefined {
  const user = readText(field, report)
  if (field === undefined || user === undefined) return undefined
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/.test(user)) {
    report(
      field.line,
      `\`user\` can't be ${quoted(user)}.`,
      'Write a name or a number, with `:group` if needed.',
    )
  }
  return user
}

function readWorkdir(field: Field | undefined, report: Report): string | undefined {
  const workdir = readText(field, report)
  if (field === undefined || workdir === undefined) return undefined
  if (!workdir.startsWith('/') || workdir.split('/').includes('..') || /[\r\n]/.test(workdir)) {
    report(field.line, '`workdir` must be an absolute path inside the bottle.', 'For example: /workspace')
  }
  return workdir
}

function readProvider(fields: Fields, report: Report): ProviderSettings | null {
  const given = PROVIDER_KEYS.map((key) => fields.get(key)).filter((field) => field !== undefined)
  const field = given[0]
  if (!field) return null
  if (given[1]) report(given[1].line, 'The provider is set twice.', 'Keep one of the keys.')
  if (field.value.kind === 'scalar') {
    const name = readChoice(field, PROVIDER_NAMES, report) ?? null
    return { name, args: null, permissions: null, other: {} }
  }
  const settings = readFields(field.value, `\`${field.key}\``, null, report)
  const name = readChoice(settings.get('name') ?? settings.get('template'), PROVIDER_NAMES, report) ?? null
  const other = [...settings.values()].filter(
    ({ key }) => !['name', 'template', 'args', 'permissions'].includes(key),
  )
  return {
    name,
    args: readTexts(settings.get('args'), report)?.map((item) => item.text) ?? null,
    permissions: readChoice(settings.get('permissions'), PERMISSIONS, report) ?? null,
    other: Object.fromEntries(other.map((entry) => [entry.key, toJson(entry.value)])),
  }
}
