import { expandHome } from '../parse-mounts.ts'

type Env = Readonly<Record<string, string | undefined>>

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** The text with each `${NAME}` that has a value filled in; an unknown one stays as it is. Pure. */
export function fillFromEnv(template: string, env: Env): string {
  return template.replace(REFERENCE, (found, name: string) =>
    Object.hasOwn(env, name) ? (env[name] ?? found) : found,
  )
}

export interface SplitEnv {
  /** Values that are final. */
  readonly plain: Readonly<Record<string, string>>
  /** Values to be filled in at launch: what comes from this machine's environment may be a secret. */
  readonly templates: Readonly<Record<string, string>>
}

/**
 * Tells apart what can stand in a plan and what takes a value of this machine's environment. `~` at the front is this
 * user's home. Pure.
 */
export function splitEnv(given: Readonly<Record<string, string>>, env: Env, homeDir: string): SplitEnv {
  const plain: [string, string][] = []
  const templates: [string, string][] = []
  for (const [name, written] of Object.entries(given)) {
    const value = expandHome(written, homeDir)
    const isFilled = fillFromEnv(value, env) !== value
    if (isFilled) templates.push([name, value])
    else plain.push([name, value])
  }
  return { plain: Object.fromEntries(plain), templates: Object.fromEntries(templates) }
}

/** Variables that say where and as whom a program runs: their values stand everywhere and give nothing away. */
const ORDINARY =
  /^(?:HOME|USER|LOGNAME|HOSTNAME|PWD|OLDPWD|SHELL|PATH|LANG|LANGUAGE|LC_[A-Z]+|TERM|TZ|TMPDIR|XDG_[A-Z_]+)$/

/**
 * What stands for secrets once templates are filled in: their values, and those of the variables that they take in.
 * `missing` are names whose value can't be had any more. A template of nothing but where and who is none. Pure.
 */
export function secretsOfTemplates(
  templates: Readonly<Record<string, string>>,
  env: Env,
): {
  readonly found: readonly { readonly name: string; readonly value: string }[]
  readonly missing: readonly string[]
} {
  const found = new Map<string, string>()
  const missing = new Set<string>()
  for (const [name, template] of Object.entries(templates)) {
    const taken = [...template.matchAll(REFERENCE)].map(([, reference = '']) => reference)
    const secret = taken.filter((reference) => !ORDINARY.test(reference))
    if (secret.length === 0) continue
    const isFilled = taken.every((reference) => Object.hasOwn(env, reference))
    if (isFilled) found.set(name, fillFromEnv(template, env))
    else missing.add(name)
    for (const reference of secret) {
      const value = Object.hasOwn(env, reference) ? env[reference] : undefined
      if (value) found.set(reference, value)
    }
  }
  return { found: [...found].map(([name, value]) => ({ name, value })), missing: [...missing] }
}
