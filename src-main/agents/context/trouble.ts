import type { UsageFacts } from './usage-facts.ts'

const LIMIT =
  /^(?:claude (?:ai )?usage limit reached|(?:5-hour|weekly|opus weekly|session|usage) limit reached|you['’]ve (?:hit|reached) your (?:\w+ ){0,2}limit|you['’]re out of extra usage|credit balance is too low|(?:api error|error|stream error)\b.{0,80}\b(?:429\b|rate_limit_error|rate limit|usage limit|insufficient_quota))/i

const SIGN_IN =
  /^(?:invalid api key\b|please run \/login\b|not logged in\b|(?:your )?(?:oauth )?(?:token|session|login) (?:has )?expired\b|oauth token (?:revoked|has expired)|failed to authenticate\b|(?:api error|error|unexpected status)\b.{0,80}\b(?:401\b|authentication_error|unauthorized|invalid_api_key|invalid x-api-key)|no api keys? found\b|your access token could not be refreshed\b)/i

/** What a sentence of the provider's own says of a refusal. Only its beginning counts, so that talk about one is none. Pure. */
export function troubleOf(sentence: string): 'limit' | 'sign-in' | null {
  const text = sentence.trim()
  if (SIGN_IN.test(text)) return 'sign-in'
  return LIMIT.test(text) ? 'limit' : null
}

/** The same for a record that a provider marks as an error. Pure. */
export function troubleFact(text: string, code: string | undefined): NonNullable<UsageFacts['trouble']> {
  const byCode =
    code === 'rate_limit' || code === 'billing_error'
      ? 'limit'
      : code === 'authentication_failed'
        ? 'sign-in'
        : null
  return { kind: byCode ?? troubleOf(text) ?? 'other', text: text.slice(0, 300) }
}
