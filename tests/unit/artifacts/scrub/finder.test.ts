import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFinder, findInText, makeNeedles } from '../../../../src-main/artifacts/scrub/finder.ts'
import { searchableValues, unsearchableNames } from '../../../../src-main/artifacts/scrub/values.ts'

const tokens = makeNeedles([], true)
const rulesIn = (text: string) => findInText(tokens, text).map((hit) => hit.rule)

const A36 = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6'
const RANDOM = `${A36}${A36.split('').reverse().join('')}${A36}`

const FORMS: readonly (readonly [string, string])[] = [
  ['GitHub token', `ghp_${A36}`],
  ['GitHub token', `ghs_${A36}`],
  ['GitHub fine-grained token', `github_pat_${RANDOM.slice(0, 22)}_${RANDOM.slice(0, 59)}`],
  ['GitLab token', `glpat-${RANDOM.slice(0, 20)}`],
  ['Anthropic key', `sk-ant-api03-${RANDOM.slice(0, 93)}AA`],
  ['OpenAI key', `sk-proj-${RANDOM.slice(0, 74)}T3BlbkFJ${RANDOM.slice(0, 50)}`],
  ['OpenAI key', `sk-${RANDOM.slice(0, 20)}T3BlbkFJ${RANDOM.slice(0, 20)}`],
  ['AWS access key', 'AKIAQ7XZ2LM5NB4VC6KD'],
  ['AWS secret key', `aws_secret_access_key = ${RANDOM.slice(0, 40)}`],
  ['AWS secret key', `"SecretAccessKey": "${RANDOM.slice(0, 38)}/+"`],
  ['Google API key', `AIza${RANDOM.slice(0, 35)}`],
  ['Slack token', `xoxb-123456789012-1234567890123-${RANDOM.slice(0, 24)}`],
  ['npm token', `npm_${A36}`],
  ['PyPI token', `pypi-AgEIcHlwaS5vcmc${RANDOM.slice(0, 80)}`],
  ['Stripe key', `sk_live_${RANDOM.slice(0, 24)}`],
  [
    'private key',
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${RANDOM}\n${RANDOM}\n-----END OPENSSH PRIVATE KEY-----`,
  ],
  ['private key', `"-----BEGIN PRIVATE KEY-----\\n${RANDOM}\\n${RANDOM}\\n-----END PRIVATE KEY-----\\n"`],
  [
    'JSON web token',
    `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.${Buffer.from('{"sub":"1234567890"}').toString('base64url')}.${RANDOM.slice(0, 43)}`,
  ],
]

describe('known forms', () => {
  test.each(FORMS)('%s', (rule, text) => {
    expect(rulesIn(text)).toEqual([rule])
    expect(rulesIn(`before "${text}" behind`)).toEqual([rule])
  })
  test('the secret alone is told, to the byte', () => {
    const [, token] = FORMS[0] ?? ['', '']
    expect(findInText(tokens, `ü=${token};`)).toEqual([
      { offset: 3, length: token.length, rule: 'GitHub token', isCommonInPackages: false },
    ])
    const [hit] = findInText(tokens, `aws_secret_access_key = ${RANDOM.slice(0, 40)}\n`)
    expect(hit).toMatchObject({ offset: 24, length: 40 })
  })
  test.each([
    `ghp_${'x'.repeat(36)}`,
    `notghp_${A36}`,
    `ghp_${A36.slice(0, 20)}`,
    'AKIAIOSFODNN7EXAMPLE',
    'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    'if (text.includes("-----BEGIN RSA PRIVATE KEY-----")) parse(text)',
    'sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbXX0=',
    'npm_config_registry npm_lifecycle_event',
    'sk-ant-api03-your-key-here',
  ])('no alarm: %s', (text) => {
    expect(rulesIn(text)).toEqual([])
  })
})

describe('values', () => {
  const value = 'correct horse "battery"'
  const needles = makeNeedles(searchableValues([{ name: 'PASS', value }]), false)
  test.each([
    ['as it is', value],
    ['in JSON', JSON.stringify({ value })],
    ['in a URL', `https://u:${encodeURIComponent(value)}@example.com`],
    ['in base64', Buffer.from(`a${value}`).toString('base64')],
    ['in base64, moved by one', Buffer.from(`ab${value}cd`).toString('base64')],
    ['in base64 for URLs', Buffer.from(`abc${value}d`).toString('base64url')],
  ])('%s', (_how, text) => {
    expect(findInText(needles, `x ${text} y`).map((hit) => hit.rule)).toContain('declared secret PASS')
  })
  test('what is too short to be searched for is named', () => {
    const secrets = [
      { name: 'PIN', value: '12345' },
      { name: 'FILL', value: 'xxxxxxxxxx' },
      { name: 'EMPTY', value: '' },
      { name: 'GOOD', value: '123456' },
    ]
    expect(unsearchableNames(secrets)).toEqual(['PIN', 'FILL'])
    expect(searchableValues(secrets).map((each) => each.name)).toEqual(['GOOD'])
  })
})

describe('streams', () => {
  const token = `ghp_${A36}`
  const needles = makeNeedles(searchableValues([{ name: 'V', value: 'declared-value-1' }]), true)

  test('a hit is found once, whatever the borders of the chunks', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 500, max: 700_000 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 2_400_000 }),
        fc.constantFrom(token, 'declared-value-1'),
        (sizes, at, secret) => {
          const stream = Buffer.alloc(2_500_000, '.')
          stream.write(secret, at, 'latin1')
          const finder = createFinder(needles)
          const hits = []
          for (let from = 0, index = 0; from < stream.length; index++) {
            const size = sizes[index % sizes.length] ?? 1
            hits.push(...finder.push(stream.subarray(from, from + size)))
            from += size
          }
          hits.push(...finder.finish())
          expect(hits.map(({ offset, length }) => ({ offset, length }))).toEqual([
            { offset: at, length: secret.length },
          ])
        },
      ),
      { numRuns: 40 },
    )
  })
})
