import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PROVIDER_NAMES } from '../../../src-main/agents/definitions.ts'
import {
  providerBuildContext,
  providerContextDir,
  writeProviderContext,
} from '../../../src-main/agents/images/provider-images.ts'
import { openManifestIndex, validateManifests } from '../../../src-main/agents/manifest-index.ts'
import { scaffoldAgent } from '../../../src-main/agents/scaffold.ts'
import { failureOf, manifestFolder } from './manifest-folder.ts'

describe('scaffoldAgent', () => {
  it('writes valid manifests for every provider', async () => {
    const dir = await manifestFolder()
    for (const provider of PROVIDER_NAMES) {
      const made = await scaffoldAgent({ dir }, `my-${provider}`, { provider })
      expect(made.created).toEqual([
        join(dir, `agents/my-${provider}.md`),
        join(dir, `bottles/my-${provider}.md`),
      ])
    }
    expect(await validateManifests(await openManifestIndex({ dir }, null))).toEqual([])
  })

  it('never overwrites: an agent that exists is an error, a bottle that exists is used', async () => {
    const dir = await manifestFolder({ 'agents/a.md': 'mine', 'bottles/shared.md': 'mine too' })
    expect((await failureOf(scaffoldAgent({ dir }, 'a'))).code).toBe('exists')
    expect(await readFile(join(dir, 'agents/a.md'), 'utf8')).toBe('mine')
    expect(await readdir(join(dir, 'bottles'))).toEqual(['shared.md'])
    const made = await scaffoldAgent({ dir }, 'b', { bottle: 'shared' })
    expect(made.created).toEqual([join(dir, 'agents/b.md')])
    expect(await readFile(join(dir, 'bottles/shared.md'), 'utf8')).toBe('mine too')
  })

  it.each(['../x', 'A b', '', '-x', 'a/b'])('refuses the name %j', async (name) => {
    const dir = await manifestFolder()
    expect((await failureOf(scaffoldAgent({ dir }, name))).code).toBe('usage')
  })
})

describe('provider images', () => {
  it.each(['claude', 'codex', 'pi'] as const)(
    'ship a Dockerfile for %s, pinned and without privileges',
    async (provider) => {
      const dir = providerContextDir(await manifestFolder(), provider)
      await writeProviderContext(provider, dir)
      await writeProviderContext(provider, dir)
      const text = await readFile(join(dir, 'Dockerfile'), 'utf8')
      expect(text).toBe(providerBuildContext(provider).dockerfile)
      expect(text).toMatch(/^FROM node:24-slim$/m)
      expect(text).toMatch(/npm install -g \S+@\d+\.\d+\.\d+/)
      expect(text).toMatch(/^USER node$/m)
      expect(text).toMatch(/^WORKDIR \/workspace$/m)
    },
  )

  it('has none for a custom agent', async () => {
    expect((await failureOf(writeProviderContext('custom', '/nowhere'))).code).toBe('unsupported')
  })
})
