import { type UsageFacts, whole } from './usage-facts.ts'

/** What follows a fixed phrase: an end, or punctuation. A sentence that only begins alike goes on with words. */
const END = '(?=\\s*(?:[·∙•.:,;|(—–-]|$))'

const LIMIT = [
  `claude (?:ai )?usage limit reached${END}`,
  `(?:5-hour|weekly|opus weekly|sonnet weekly|session|usage) limit reached${END}`,
  `you['’]ve (?:hit|reached) your (?:\\S+ ){0,2}limit${END}`,
  `you['’]re out of extra usage${END}`,
  `credit balance is too low${END}`,
  '(?:api error|error|stream error|unexpected status)\\b[^a-z]{0,12}429\\b',
  '(?:api error|error|stream error)\\b.{0,120}\\b(?:rate_limit_error|insufficient_quota|usage_limit_reached)\\b',
]

const SIGN_IN = [
  `(?:invalid|missing) api key${END}`,
  'please run /login(?=\\s*(?:·|\\.?\\s*$))',
  `not logged in${END}`,
  `select login method${END}`,
  `(?:your )?(?:oauth token|access token|session|login) (?:has |was )?(?:expired|revoked)${END}`,
  'failed to authenticate\\. ',
  '(?:api error|error|unexpected status)\\b[^a-z]{0,12}401\\b',
  '(?:api error|error)\\b.{0,120}\\b(?:authentication_error|invalid_api_key)\\b',
  'no api key found for \\S+$',
  'your access token could not be refreshed\\b',
]

const startsWith = (forms: readonly string[]) => new RegExp(`^(?:${forms.join('|')})`, 'i')
const IS_LIMIT = startsWith(LIMIT)
const IS_SIGN_IN = startsWith(SIGN_IN)

/** What a sentence of the provider's own says of a refusal. Only its beginning counts, so that talk about one is none. Pure. */
export function troubleOf(sentence: string): 'limit' | 'sign-in' | null {
  const text = sentence.trim()
  if (IS_SIGN_IN.test(text)) return 'sign-in'
  return IS_LIMIT.test(text) ? 'limit' : null
}

/** The same for a record that a provider marks as an error. Pure. */
export function troubleFact(text: string, code: string | undefined): NonNullable<UsageFacts['trouble']> {
  return { kind: kindOf(code) ?? troubleOf(text) ?? 'other', text: whole(text) }
}

function kindOf(code: string | undefined): 'limit' | 'sign-in' | null {
  if (code === 'rate_limit' || code === 'billing_error') return 'limit'
  return code === 'authentication_failed' ? 'sign-in' : null
}
