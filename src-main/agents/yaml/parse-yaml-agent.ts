import { dirname } from 'node:path'
import { type AgentDefinition, type Json, PROVIDER_NAMES } from '../definitions.ts'
import {
  type Fields,
  isEmpty,
  readBoolean,
  readChoice,
  readFields,
  readText,
  readTexts,
  toJson,
} from '../fields.ts'
import type { Field, Located } from '../frontmatter.ts'
import type { AgentRuntime } from '../lifecycle.ts'
import { isManifestName } from '../names.ts'
import { foreignKeys, readCommand, readModel } from '../parse-agent.ts'
import { LIFECYCLE_KEYS, RUNTIME_WORDS, readLifecycle } from '../parse-lifecycle.ts'
import { readLabels } from '../parse-workspace.ts'
import { didYouMean, quoted, type Report } from '../problems.ts'
import type { HostIdentity } from './host-identity.ts'
import { readOwnBottle } from './spec-bottle.ts'
import { LATER_PARTS, notActedOn, readLater, readRemote } from './spec-later.ts'
import { readPlacement, type YamlVersion } from './spec-placement.ts'

/** The versions of agent YAML that load as they are. */
export const API_VERSIONS: Readonly<Record<string, YamlVersion>> = {
  'cld-agent/v1': 1,
  'scitex-agent-container/v2': 2,
  'scitex-agent-container/v3': 3,
}

export interface YamlOrigin {
  readonly file: string
  readonly source: AgentDefinition['source']
  /** The name that it was found by; null when the file itself was named. */
  readonly foundAs: string | null
  /** Name of the folder that it lies in. */
  readonly folderName: string
  /** The name that it has whatever it says and wherever it runs; null but for one that came along with a bottle. */
  readonly fixedName: string | null
  readonly homeDir: string
  /** This machine's environment: only which names have a value counts here. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly host: HostIdentity
}

const TOP_KEYS = ['apiVersion', 'kind', 'metadata', 'spec', 'cardinality_enforced_at_hub', 'priority_list']

const SPEC_KEYS = [
  ...LIFECYCLE_KEYS,
  'model',
  'workdir',
  'workdir-mode',
  'venv',
  'env',
  'secrets',
  'container',
  'provider',
  'command',
  'host',
  'hosts',
  'scheduling',
  'remote',
  'cardinality_enforced_at_hub',
  'priority_list',
  ...Object.keys(LATER_PARTS),
]

/** Builds an agent with its own bottle from agent YAML; whatever is wrong is reported and left out. Pure. */
export function agentFromYaml(root: Located, origin: YamlOrigin, report: Report): AgentDefinition {
  const top = readFields(root, 'An agent file', TOP_KEYS, report)
  const version = readVersion(top, root.line, report)
  const name = readName(top.get('metadata'), version, origin, report)
  const specField = top.get('spec')
  const written: Located = specField?.value ?? { kind: 'map', line: root.line, entries: [] }
  // Found before anything else is read, since it may fill in names all over the file.
  const placed = readPlacement(name, version, fieldsOf(written), origin.host, report)
  const placement = origin.fixedName === null ? placed : { ...placed, id: origin.fixedName, refusal: null }
  const { canonical } = origin.host
  const spec = readFields(
    placement.fillsHostname ? fillHostname(written, canonical) : written,
    '`spec`',
    SPEC_KEYS,
    report,
  )
  const labels = readMetadataLabels(top.get('metadata'), placement.fillsHostname ? canonical : null, report)
  const provider = readChoice(spec.get('provider'), PROVIDER_NAMES, report)
  const command = readCommand(spec.get('command'), report)
  if (command && provider !== 'custom') {
    report(spec.get('command')?.line ?? 1, '`command` needs `provider: custom`.')
  }
  const runtime = readYamlRuntime(spec.get('runtime'), report)
  const id = placement.id
  const base = {
    name: id,
    file: origin.file,
    folder: dirname(origin.file),
    homeDir: origin.homeDir,
    env: origin.env,
  }
  const fields = new Map(spec)
  const venv = readVenv(spec, version, report)
  if (venv) fields.set('python-venv', venv)
  const { lifecycle, check, skipsPermissions } = readLifecycle(
    fields,
    {
      ...base,
      metadata: { name: id, labels },
      runtime: runtime.runtime,
      sessionMode: version === 1 ? 'new' : 'continue-or-new',
      screenName: version === 1 ? `cld-${id}` : id,
    },
    report,
  )
  const own = readOwnBottle(spec, { ...base, provider: provider ?? null, skipsPermissions }, report)
  const later = readLater(spec, report)
  const remote = readRemote(spec.get('remote'), report)
  const hub = readHubKeys(top, spec, report)
  const isMethodLater = lifecycle.later['health.method'] === 'a2a-card'
  return {
    name: id,
    source: origin.source,
    file: origin.file,
    bottle: null,
    skills: [],
    provider: provider ?? 'claude',
    isProviderGiven: true,
    command,
    systemPrompt: '',
    displayName: null,
    description: labels.description ?? labels.role ?? '',
    model:
      readModel(spec.get('model'), report) ??
      (provider === undefined || provider === 'claude' ? 'sonnet' : null),
    color: '',
    memory: null,
    gitGateUser: null,
    health: check,
    lifecycle: {
      ...lifecycle,
      later: {
        ...lifecycle.later,
        ...foreignKeys(root),
        ...foreignKeys(top.get('metadata')?.value ?? root),
        ...foreignKeys(written),
        ...runtime.later,
        ...placement.later,
        ...own.later,
        ...later.parts,
        ...hub.parts,
        ...(remote ? { remote: remote.part } : {}),
      },
    },
    ownBottle: own.bottle,
    ...(Object.keys(own.envTemplates).length > 0 ? { envTemplates: own.envTemplates } : {}),
    ...(own.copyFrom === null ? {} : { copyFrom: own.copyFrom }),
    notices: [
      ...own.notices,
      ...placement.notices,
      ...later.notices,
      ...hub.notices,
      ...(isMethodLater ? [notActedOn('health.method: a2a-card')] : []),
    ],
    refusals: [
      ...runtime.refusals,
      ...(remote
        ? [`\`remote\` names ${remote.host}: agents on other machines are not supported by this version.`]
        : []),
      ...(placement.refusal === null ? [] : [placement.refusal]),
      ...own.refusals,
    ],
    lines: {
      bottle: specField?.line ?? 1,
      skills: spec.get('skills')?.line ?? 1,
      command: spec.get('command')?.line ?? 1,
    },
  }
}

function readVersion(top: Fields, line: number, report: Report): YamlVersion {
  const field = top.get('apiVersion')
  const text = readText(field, report)
  const known = Object.keys(API_VERSIONS)
  const kind = top.get('kind')
  if (readText(kind, report) !== 'Agent') report(kind?.line ?? line, '`kind` must be Agent.')
  const version = text === undefined ? undefined : API_VERSIONS[text]
  if (version !== undefined && text !== undefined && Object.hasOwn(API_VERSIONS, text)) return version
  const what = text === undefined ? '`apiVersion` is missing.' : `\`apiVersion\` can't be ${quoted(text)}.`
  report(
    field?.line ?? line,
    what,
    text === undefined ? `Known: ${known.join(', ')}.` : didYouMean(text, known),
  )
  // What a name must be depends on the version, so a guess by what is there keeps to the one error.
  const metadata = top.get('metadata')?.value
  return metadata?.kind === 'map' && metadata.entries.some(({ key }) => key === 'name') ? 2 : 3
}

/** v1 and v2 say the name, v3 takes that of the folder. */
function readName(
  metadata: Field | undefined,
  version: YamlVersion,
  origin: YamlOrigin,
  report: Report,
): string {
  const fields = metadata
    ? readFields(metadata.value, '`metadata`', ['name', 'labels'], report)
    : new Map<string, Field>()
  const field = fields.get('name')
  const folder = origin.fixedName ?? origin.folderName
  if (version === 3) {
    if (field) {
      report(
        field.line,
        'v3 takes the name of the folder and refuses `metadata.name`.',
        `Remove it; here the name is ${quoted(folder)}.`,
      )
    }
    if (origin.foundAs !== null && origin.foundAs !== folder) {
      report(
        1,
        `A v3 file takes the name of its folder, which is ${quoted(folder)}.`,
        `Move it to ${origin.foundAs}/spec.yaml.`,
      )
    } else if (!isManifestName(folder)) {
      report(
        1,
        `The folder's name ${quoted(folder)} can't be the name of an agent.`,
        'Use letters, digits and hyphens.',
      )
    }
    return isManifestName(folder) ? folder : 'agent'
  }
  const name = readText(field, report)
  if (field === undefined || name === undefined) {
    report(
      field?.line ?? metadata?.line ?? 1,
      '`metadata.name` is missing.',
      'v1 and v2 need the name of the agent.',
    )
    return 'agent'
  }
  if (isManifestName(name)) return name
  report(field.line, `${quoted(name)} can't be the name of an agent.`, 'Use letters, digits and hyphens.')
  return 'agent'
}

function readMetadataLabels(
  metadata: Field | undefined,
  hostname: string | null,
  report: Report,
): Readonly<Record<string, string>> {
  const field = fieldsOf(metadata?.value).get('labels')
  if (!field) return {}
  return readLabels(
    hostname === null ? field : { ...field, value: fillHostname(field.value, hostname) },
    report,
  )
}

/** The one variable that placement fills in all over a file. */
const HOSTNAME = '$' + '{HOSTNAME}'

const CLUSTER_RUNTIMES = ['slurm', 'slurm-tenant']

function readYamlRuntime(
  field: Field | undefined,
  report: Report,
): { runtime: AgentRuntime; later: Readonly<Record<string, Json>>; refusals: readonly string[] } {
  const word =
    readChoice(field, [...Object.keys(RUNTIME_WORDS), ...CLUSTER_RUNTIMES], report) ?? 'claude-code'
  const runtime = RUNTIME_WORDS[word]
  if (runtime !== undefined) return { runtime, later: {}, refusals: [] }
  return {
    runtime: 'terminal',
    later: { runtime: word },
    refusals: [`\`runtime: ${word}\` is not supported by this version. Use claude-code or claude-session.`],
  }
}

/** `venv` is what v1 and v2 call `python-venv`. */
function readVenv(spec: Fields, version: YamlVersion, report: Report): Field | undefined {
  const old = spec.get('venv')
  if (!old) return undefined
  if (version === 3) report(old.line, '`venv` is called `python-venv` in v3.')
  else if (spec.has('python-venv'))
    report(old.line, '`venv` and `python-venv` are the same.', 'Keep one of them.')
  return old
}

/** Keys that stand at the top or under `spec`. */
function readHubKeys(
  top: Fields,
  spec: Fields,
  report: Report,
): { parts: Readonly<Record<string, Json>>; notices: readonly string[] } {
  const parts: [string, Json][] = []
  const enforced = spec.get('cardinality_enforced_at_hub') ?? top.get('cardinality_enforced_at_hub')
  const isEnforced = readBoolean(enforced, report)
  if (isEnforced !== undefined) parts.push(['cardinality_enforced_at_hub', isEnforced])
  const list = spec.get('priority_list') ?? top.get('priority_list')
  for (const { text, line } of readTexts(list, report) ?? []) {
    if (text.trim() === '') report(line, 'An empty name is not a host.')
  }
  if (list && !isEmpty(list.value)) parts.push(['priority_list', toJson(list.value)])
  const isListed = list?.value.kind === 'list' && list.value.items.length > 0
  return {
    parts: Object.fromEntries(parts),
    notices: [
      ...(isEnforced === true ? [notActedOn('cardinality_enforced_at_hub')] : []),
      ...(isListed ? [notActedOn('priority_list')] : []),
    ],
  }
}

function fieldsOf(value: Located | undefined): Fields {
  return new Map(value?.kind === 'map' ? value.entries.map((field) => [field.key, field]) : [])
}

/** The same value with `${HOSTNAME}` filled in, in every text below it. */
function fillHostname(value: Located, hostname: string): Located {
  if (value.kind === 'map') {
    const entries = value.entries.map((field) => ({ ...field, value: fillHostname(field.value, hostname) }))
    return { ...value, entries }
  }
  if (value.kind === 'list') {
    return { ...value, items: value.items.map((item) => fillHostname(item, hostname)) }
  }
  if (typeof value.value !== 'string') return value
  const text = value.value.replaceAll(HOSTNAME, () => hostname)
  return { ...value, value: text, text }
}
