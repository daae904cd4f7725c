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
