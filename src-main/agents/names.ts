/** Names of environment variables and secrets. */
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,199}$/
/** Lower-case words with single hyphens: skills, sidecars, new agents. */
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/
/** What a manifest file may be called: safe in a path, a label and a message. */
const MANIFEST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

export function isEnvName(text: string): boolean {
  return ENV_NAME.test(text)
}

export function isKebab(text: string): boolean {
  return text.length <= 100 && KEBAB.test(text)
}

/** True for a name that can't leave its folder. Existing files may hold capitals, dots and underscores. */
export function isManifestName(text: string): boolean {
  return MANIFEST_NAME.test(text) && !text.includes('..')
}
