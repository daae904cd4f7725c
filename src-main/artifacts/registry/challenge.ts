/** What a registry asks for: a token of its token service, or name and password. */
export type Challenge =
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | null }
  | { readonly scheme: 'basic' }

/**
 * Reads a `WWW-Authenticate` header, which may hold several challenges; a token is preferred to a password.
 * Null when there is none that is understood. Pure.
 */
export function parseChallenge(header: string): Challenge | null {
  let basic: Challenge | null = null
  for (const { scheme, params } of splitChallenges(header.slice(0, 8192))) {
    const realm = params.get('realm')
    if (scheme === 'bearer' && realm) return { scheme, realm, service: params.get('service') ?? null }
    if (scheme === 'basic') basic = { scheme }
  }
  return basic
}

interface RawChallenge {
  readonly scheme: string
  readonly params: Map<string, string>
}

function splitChallenges(header: string): readonly RawChallenge[] {
  const found: RawChallenge[] = []
  // A parameter `name="value"` or `name=value`, else a bare word, which begins the next challenge.
  const part = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([A-Za-z0-9_-]+)/g
  for (const [, name, quoted, plain, word] of header.matchAll(part)) {
    if (word !== undefined) found.push({ scheme: word.toLowerCase(), params: new Map() })
    else if (name !== undefined) {
      found.at(-1)?.params.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
    }
  }
  return found
}
