import { describe, expect, it } from 'vitest'
import { resolveSecrets, validateForgeEnv } from '../../../src-main/agents/secrets.ts'
import { failureOf } from './manifest-folder.ts'

const CANARY = 'canary-value-1'

function sources(change: Partial<Parameters<typeof resolveSecrets>[1]> = {}) {
  return { given: {}, env: {}, store: { get: async () => undefined }, allowMissing: false, ...change }
}

describe('resolveSecrets', () => {
  it('asks the call, then the environment, then the keychain, and that only for the rest', async () => {
    const asked: string[] = []
    const store = {
      get: async (name: string) => {
        asked.push(name)
        return `stored ${name}`
      },
    }
    const given = { A: 'given' }
    const env = { A: 'env', B: 'env', C: '' }
    const { values, missing } = await resolveSecrets(['A', 'B', 'C', 'C'], sources({ given, env, store }))
    expect(values).toEqual({ A: 'given', B: 'env', C: 'stored C' })
    expect(missing).toEqual([])
    expect(asked).toEqual(['C'])
  })

  it('names all that is missing, and no value', async () => {
    const failed = await failureOf(resolveSecrets(['A', 'B', 'C'], sources({ given: { B: CANARY } })))
    expect(failed.code).toBe('secret-missing')
    expect(failed.message).toContain('A, C')
    expect(JSON.stringify(failed) + failed.message).not.toContain(CANARY)
    const allowed = await resolveSecrets(['A', 'B'], sources({ given: { B: CANARY }, allowMissing: true }))
    expect(allowed).toEqual({ values: { B: CANARY }, missing: ['A'] })
  })

  it('takes nothing from the prototypes of its sources', async () => {
    expect((await failureOf(resolveSecrets(['constructor'], sources()))).code).toBe('secret-missing')
  })

  it.each([
    ['a NUL character', `${CANARY}\0`],
    ['too much', CANARY.repeat(10_000)],
  ])('refuses %s without repeating it', async (_case, value) => {
    const failed = await failureOf(resolveSecrets(['A'], sources({ given: { A: value } })))
    expect(failed.code).toBe('usage')
    expect(failed.message).not.toContain('canary')
  })

  it('passes on a keychain that refuses', async () => {
    const store = { get: () => Promise.reject(new Error('locked')) }
    expect((await failureOf(resolveSecrets(['A'], sources({ store })))).message).toBe('locked')
  })
})

describe('validateForgeEnv', () => {
  it('takes plain names and values', () => {
    expect(() => validateForgeEnv({ FORGE_TOKEN: CANARY, EMPTY: '' })).not.toThrow()
  })

  it.each([
    ['a bad name', { [`TOKEN=${CANARY}`]: 'x' }],
    ['an empty name', { '': CANARY }],
    ['a line break', { TOKEN: `${CANARY}\n` }],
    ['a carriage return', { TOKEN: `${CANARY}\r` }],
    ['a NUL character', { TOKEN: `${CANARY}\0` }],
    ['a huge value', { TOKEN: CANARY.repeat(10_000) }],
    ['too much together', Object.fromEntries([...'ABCDEF'].map((name) => [name, 'canary'.repeat(15_000)]))],
  ])('refuses %s without repeating it', async (_case, env) => {
    const failed = await failureOf(Promise.resolve().then(() => validateForgeEnv(env)))
    expect(failed.code).toBe('usage')
    expect(failed.message).not.toContain('canary')
  })
})
