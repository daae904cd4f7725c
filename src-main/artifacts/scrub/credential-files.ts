/** A file that is known to hold credentials, by where it lies. */
export interface CredentialRule {
  /** The end of the path, without a leading slash. */
  readonly path: RegExp
  /** The file is only meant when its content matches; null for any content. */
  readonly content: RegExp | null
}

const end = (pattern: string) => new RegExp(`(?:^|/)${pattern}$`)

/** A variable in place of a value is no credential. */
const VALUE = '["\']?(?!\\$\\{)[^\\s"\']'

const RULES: readonly CredentialRule[] = [
  { path: end('[._]netrc'), content: /password|passwd/ },
  { path: end('\\.git-credentials'), content: null },
  { path: end('\\.config/git/credentials'), content: null },
  { path: end('\\.npmrc'), content: new RegExp(`(?:_authToken|_auth|_password)\\s*=\\s*${VALUE}`) },
  { path: end('\\.yarnrc\\.yml'), content: new RegExp(`npmAuth(?:Token|Ident)\\s*:\\s*${VALUE}`) },
  { path: end('\\.pypirc'), content: new RegExp(`password\\s*[=:]\\s*${VALUE}`) },
  { path: end('\\.cargo/credentials(?:\\.toml)?'), content: null },
  { path: end('\\.aws/credentials'), content: null },
  { path: end('\\.aws/(?:sso|cli)/cache/[^/]+\\.json'), content: null },
  { path: end('\\.docker/config\\.json'), content: /"(?:auth|identitytoken|registrytoken)"\s*:\s*"[^"]/ },
  { path: end('containers/auth\\.json'), content: /"auth"\s*:\s*"[^"]/ },
  { path: end('\\.ssh/id_[A-Za-z0-9_-]+'), content: /PRIVATE KEY/ },
  { path: end('\\.config/gh/hosts\\.yml'), content: /oauth_token/ },
  { path: end('\\.config/glab-cli/config\\.yml'), content: new RegExp(`token\\s*:\\s*${VALUE}`) },
  { path: end('\\.claude/\\.credentials\\.json'), content: null },
  { path: end('\\.codex/auth\\.json'), content: null },
  { path: end('\\.pi/agent/auth\\.json'), content: null },
  { path: end('\\.kube/config'), content: /token|client-key-data|password/ },
  {
    path: end(
      '\\.config/gcloud/(?:credentials\\.db|access_tokens\\.db|application_default_credentials\\.json|legacy_credentials/.+)',
    ),
    content: null,
  },
  { path: end('\\.azure/(?:accessTokens\\.json|msal_token_cache\\.(?:json|bin))'), content: null },
  { path: end('\\.terraform\\.d/credentials\\.tfrc\\.json'), content: null },
  { path: end('\\.vault-token'), content: null },
]

/** Bytes of a file up to which its content decides. */
export const CREDENTIAL_FILE_MAX = 1024 * 1024

/** The rule for a path (relative, as in a layer), null when there is none. Pure. */
export function credentialRule(path: string): CredentialRule | null {
  return RULES.find((rule) => rule.path.test(path)) ?? null
}

/** What a finding says gave the file away: `file .aws/credentials`. Pure. */
export function credentialName(rule: CredentialRule, path: string): string {
  return `file ${(rule.path.exec(path)?.[0] ?? path).replace(/^\//, '')}`
}
