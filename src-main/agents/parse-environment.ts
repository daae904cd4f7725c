import type { SidecarLayer } from './definitions.ts'
import { isEmpty, readFields, readText, readTexts } from './fields.ts'
import type { Field } from './frontmatter.ts'
import { isEnvName, isKebab } from './names.ts'
import { quoted, type Report } from './problems.ts'

const NAME_HINT = 'Use letters, digits and underscores, not starting with a digit.'
/** Bytes; one variable and its name must fit what Linux passes to a program (128 KiB). */
const ENV_VALUE_MAX = 100_000

/** Plain environment variables: values as written, never expanded. */
export function readEnv(field: Field | undefined, report: Report): Readonly<Record<string, string>> {
  if (!field) return {}
  const entries: [string, string][] = []
  for (const [name, entry] of readFields(field.value, '`env`', null, report)) {
    if (!isEnvName(name)) {
      report(entry.line, `${quoted(name)} can't be the name of a variable.`, NAME_HINT)
      continue
    }
    if (isEmpty(entry.value)) {
      report(
        entry.line,
        `\`${name}\` has no value.`,
        "Write '' for an empty one; a secret goes under `secrets`.",
      )
      continue
    }
    const value = readText(entry, report)
    if (value === undefined) continue
    if (Buffer.byteLength(value) > ENV_VALUE_MAX) report(entry.line, `\`${name}\` is longer than 100 kB.`)
    entries.push([name, value])
  }
  return Object.fromEntries(entries)
}

/** Names of secrets; values never stand in a manifest. */
export function readSecretNames(
  field: Field | undefined,
  env: Readonly<Record<string, string>>,
  report: Report,
): readonly string[] {
  if (field?.value.kind === 'map') {
    report(field.line, '`secrets` must be a list of names.', 'Values are never written into a manifest.')
    return []
  }
  const names: string[] = []
  for (const { text, line } of readTexts(field, report) ?? []) {
    // Never quoted: somebody may have put the value here.
    if (!isEnvName(text)) report(line, 'An item of `secrets` is not a name.', NAME_HINT)
    else if (Object.hasOwn(env, text)) report(line, `\`${text}\` is both in \`env\` and in \`secrets\`.`)
    else if (!names.includes(text)) names.push(text)
  }
  return names
}

/** An image reference, checked only for what could never be one. */
export function readImage(field: Field | undefined, report: Report): string | undefined {
  const image = readText(field, report)
  if (field === undefined || image === undefined) return undefined
  if (!/^[A-Za-z0-9][A-Za-z0-9._\-/:@+]*$/.test(image) || image.length > 500) {
    report(field.line, `${quoted(image)} is not an image.`, 'For example: node:24-slim')
    return undefined
  }
  return image
}

/** Sidecars by name. A file may state one in part when a parent states the rest. */
export function readSidecars(
  field: Field | undefined,
  report: Report,
): Readonly<Record<string, SidecarLayer>> {
  if (!field) return {}
  const sidecars: [string, SidecarLayer][] = []
  for (const [name, entry] of readFields(field.value, '`sidecars`', null, report)) {
    if (!isKebab(name) || name.length > 40) {
      report(
        entry.line,
        `${quoted(name)} can't be the name of a sidecar.`,
        'Use lower-case words joined by hyphens.',
      )
      continue
    }
    const fields = readFields(
      entry.value,
      `The sidecar ${name}`,
      ['image', 'command', 'env', 'secrets'],
      report,
    )
    const image = readImage(fields.get('image'), report)
    const command = readTexts(fields.get('command'), report)?.map((item) => item.text)
    const env = readEnv(fields.get('env'), report)
    sidecars.push([
      name,
      {
        ...(image === undefined ? {} : { image }),
        ...(command === undefined ? {} : { command }),
        env,
        secrets: readSecretNames(fields.get('secrets'), env, report),
        line: entry.line,
      },
    ])
  }
  return Object.fromEntries(sidecars)
}
