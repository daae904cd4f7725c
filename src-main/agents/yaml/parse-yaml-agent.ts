import { dirname } from 'node:path'
import { type AgentDefinition, type Json, PROVIDER_NAMES } from '../definitions.ts'
import { type Fields, isEmpty, readBoolean, readChoice, readFields, readTexts, toJson } from '../fields.ts'
import type { Field, Located } from '../frontmatter.ts'
import type { AgentRuntime } from '../lifecycle.ts'
import { foreignKeys, readCommand, readModel } from '../parse-agent.ts'
import { LIFECYCLE_KEYS, RUNTIME_WORDS, readLifecycle } from '../parse-lifecycle.ts'
import type { Report } from '../problems.ts'
import {
  fieldsOf,
  fillHostname,
  readMetadataLabels,
  readName,
  readVersion,
  type YamlOrigin,
} from './read-head.ts'
import { readOwnBottle } from './spec-bottle.ts'
import { LATER_PARTS, notActedOn, readLater, readRemote } from './spec-later.ts'
import { readPlacement, type YamlVersion } from './spec-placement.ts'

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
      isYaml: true,
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
