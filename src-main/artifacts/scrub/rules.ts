/** Changes with every change of what is found: findings are remembered per content and version. */
export const RULES_VERSION = 1

/** One form of a token. */
export interface TokenRule {
  /** As a finding says it. */
  readonly name: string
  /** Short texts of which one is part of every match: they are searched for natively, the pattern only around them. */
  readonly needles: readonly string[]
  /** Global, on latin1 text. */
  readonly pattern: RegExp
  /** Longest stretch behind a needle that the pattern looks at. */
  readonly ahead: number
  /** True for forms that packages bring along by the dozen as test data: not searched for in their folders. */
  readonly isCommonInPackages?: boolean
  readonly isReal?: (match: string) => boolean
}

/** No letter, digit or underscore next to it: tokens end up in the middle of other texts only by chance. */
const alone = (body: string) => new RegExp(`(?<![A-Za-z0-9_])${body}(?![A-Za-z0-9_])`, 'g')

/** Forms that are told apart from other text by more than their length, so that false alarms stay rare. */
export const TOKEN_RULES: readonly TokenRule[] = [
  {
    name: 'GitHub token',
    needles: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    pattern: alone('gh[pousr]_[A-Za-z0-9]{36,251}'),
    ahead: 300,
  },
  {
    name: 'GitHub fine-grained token',
    needles: ['b_pat_'],
    pattern: alone('github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}'),
    ahead: 128,
  },
  { name: 'GitLab token', needles: ['glpat-'], pattern: alone('glpat-[A-Za-z0-9_.-]{20,300}'), ahead: 320 },
  {
    name: 'Anthropic key',
    needles: ['k-ant-'],
    pattern: alone('sk-ant-[a-z0-9]{3,12}-[A-Za-z0-9_-]{32,250}'),
    ahead: 300,
  },
  {
    name: 'OpenAI key',
    needles: ['T3Blbk', 'k-proj', 'k-svca'],
    pattern:
      /(?<![A-Za-z0-9_])sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,250}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})(?![A-Za-z0-9_])/g,
    ahead: 300,
  },
  {
    name: 'AWS access key',
    needles: ['AKIA', 'ASIA'],
    pattern: alone('A[KS]IA[A-Z2-7]{16}'),
    ahead: 24,
    isReal: (match) => !match.endsWith('EXAMPLE'),
  },
  {
    name: 'AWS secret key',
    needles: ['t_acce', 'T_ACCE', 'tAcces'],
    pattern:
      /secret_?access_?key["']?\s{0,4}[=:]\s{0,4}["']?(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
    ahead: 128,
    isReal: (match) => !match.includes('EXAMPLE'),
  },
  { name: 'Google API key', needles: ['AIza'], pattern: alone('AIza[A-Za-z0-9_-]{35}'), ahead: 64 },
  {
    name: 'Google client secret',
    needles: ['GOCSPX'],
    pattern: alone('GOCSPX-[A-Za-z0-9_-]{28}'),
    ahead: 64,
  },
  {
    name: 'Slack token',
    needles: ['xox', 'xapp-'],
    pattern: alone(
      '(?:xox[abposr]-[0-9]{8,14}-[A-Za-z0-9-]{16,200}|xapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-f0-9]{32,128})',
    ),
    ahead: 320,
  },
  { name: 'npm token', needles: ['npm_'], pattern: alone('npm_[A-Za-z0-9]{36}'), ahead: 64 },
  { name: 'PyPI token', needles: ['pypi-A'], pattern: alone('pypi-AgE[A-Za-z0-9_-]{50,300}'), ahead: 320 },
  { name: 'Stripe key', needles: ['_live_'], pattern: alone('[sr]k_live_[A-Za-z0-9]{20,247}'), ahead: 280 },
  { name: 'Hugging Face token', needles: ['hf_'], pattern: alone('hf_[A-Za-z]{34}'), ahead: 64 },
  {
    name: 'SendGrid key',
    needles: ['SG.'],
    pattern: alone('SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}'),
    ahead: 96,
  },
  { name: 'Docker Hub token', needles: ['r_pat_'], pattern: alone('dckr_pat_[A-Za-z0-9_-]{27}'), ahead: 64 },
  { name: 'DigitalOcean token', needles: ['p_v1_'], pattern: alone('do[opr]_v1_[a-f0-9]{64}'), ahead: 96 },
  {
    name: 'private key',
    needles: ['BEGIN '],
    // With a body: programs that read keys hold the first line alone.
    pattern:
      /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\+[nr]|\s)+[A-Za-z0-9+/=\\\s:,.()-]{100,16000}?(?:-----END [A-Z0-9 ]{1,40}-----|$)/g,
    ahead: 16 * 1024,
    isCommonInPackages: true,
  },
  {
    name: 'JSON web token',
    needles: ['eyJ'],
    pattern:
      /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,1000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20,700}(?![A-Za-z0-9_-])/g,
    ahead: 6 * 1024,
    isCommonInPackages: true,
    isReal: isJsonWebToken,
  },
]

/** Furthest stretch that any rule looks at, behind and before a needle. */
export const MOST_AHEAD = 16 * 1024
export const MOST_BACK = 96

const PACKAGES =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|go\/pkg\/mod|\.cargo\/registry|gems)\/|^usr\/(?:lib|share|include|src)\//

/** True for folders whose files come from a package. Pure. */
export function isPackageFile(path: string): boolean {
  return PACKAGES.test(path)
}

/** False for what people write where a token would go: `xxxx…`, `<your token>`. Pure. */
export function looksRandom(match: string): boolean {
  return new Set(match.slice(-24)).size >= 8
}

function isJsonWebToken(match: string): boolean {
  const [header = '', payload = ''] = match.split('.')
  return hasKey(header, 'alg') && hasKey(payload, null)
}

function hasKey(part: string, key: string | null): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && (key === null || key in value)
  } catch {
    return false
  }
}
