import type { AgentDefinition } from '../definitions.ts'
import { type Fields, readFields, readText } from '../fields.ts'
import type { Field, Located } from '../frontmatter.ts'
import { isManifestName } from '../names.ts'
import { readLabels } from '../parse-workspace.ts'
import { didYouMean, quoted, type Report } from '../problems.ts'
import type { HostIdentity } from './host-identity.ts'
import type { YamlVersion } from './spec-placement.ts'

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

export function readVersion(top: Fields, line: number, report: Report): YamlVersion {
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
export function readName(
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

export function readMetadataLabels(
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

/** The entries of a map, whatever their names. */
export function fieldsOf(value: Located | undefined): Fields {
  return new Map(value?.kind === 'map' ? value.entries.map((field) => [field.key, field]) : [])
}

/** The same value with `${HOSTNAME}` filled in, in every text below it. */
export function fillHostname(value: Located, hostname: string): Located {
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
