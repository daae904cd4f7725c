import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Who may talk to the server: one-time tokens that turn into cookies, and the key of this user's own programs. */
export interface Access {
  readonly cookieName: string
  /** A fresh one-time token, 256 bit. */
  newToken(): string
  /** The `Set-Cookie` value for a good token, which is used up by this; null for any other. */
  exchange(token: string): string | null
  /** True when the `Cookie` header carries a session of this server. */
  isKnown(cookieHeader: string | undefined): boolean
  isAdmin(authorization: string | undefined): boolean
}

/** Unused links and sessions that are remembered; the oldest end first. */
const MAX_TOKENS = 16
const MAX_SESSIONS = 256

/** The secrets live in memory as digests only, and are compared in constant time. */
export function createAccess(serverId: string, adminKey: string): Access {
  const cookieName = `icebox-${serverId}`
  const tokens: Buffer[] = []
  const sessions: Buffer[] = []
  const admin = digest(`Bearer ${adminKey}`)

  const remember = (list: Buffer[], limit: number): string => {
    const secret = randomBytes(32).toString('base64url')
    list.push(digest(secret))
    if (list.length > limit) list.shift()
    return secret
  }

  return {
    cookieName,
    newToken: () => remember(tokens, MAX_TOKENS),
    exchange(token) {
      const index = indexIn(tokens, token)
      if (index < 0) return null
      tokens.splice(index, 1)
      return `${cookieName}=${remember(sessions, MAX_SESSIONS)}; HttpOnly; SameSite=Strict; Path=/`
    },
    isKnown: (header) => cookieValues(header, cookieName).some((value) => indexIn(sessions, value) >= 0),
    isAdmin: (authorization) => authorization !== undefined && timingSafeEqual(digest(authorization), admin),
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Looks at every entry, so that the time tells nothing. */
function indexIn(list: readonly Buffer[], secret: string): number {
  const wanted = digest(secret)
  return list.reduce((found, entry, index) => (timingSafeEqual(entry, wanted) ? index : found), -1)
}

function cookieValues(header: string | undefined, name: string): string[] {
  return (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1))
}
