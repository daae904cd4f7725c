import { describe, expect, test } from 'vitest'
import { BACKENDS, createBackends, requireBackendName } from '../../../src-main/backends/registry.ts'
import { ROOT_ID } from '../../support/samples.ts'
import { tempFolder } from '../../support/test-root.ts'

describe('requireBackendName', () => {
  test('knows its own, and "" is docker as in metadata from before the field', () => {
    for (const name of BACKENDS) expect(requireBackendName(name)).toBe(name)
    expect(requireBackendName('')).toBe('docker')
  })

  test.each(['dokcer', 'Docker', ' docker', 'podman', '__proto__', 'constructor', 'docker\n', '../host'])(
    'refuses %j and names the known ones',
    (name) => {
      expect(() => requireBackendName(name)).toThrow(
        expect.objectContaining({
          code: 'unknown-backend',
          message: expect.stringMatching(/docker, host/),
        }),
      )
    },
  )
})

describe('createBackends', () => {
  test('makes each once, and gives its freezer under the same names', async () => {
    const backends = createBackends({ rootId: ROOT_ID, home: await tempFolder(), env: {} })
    const host = await backends.get('host')
    expect(host.name).toBe('host')
    expect(await backends.get('host')).toBe(host)
    expect(await backends.getFreezer('host')).toBe(host.freezer)
    expect((await backends.getFreezer('')).backend).toBe('docker')
    expect((await backends.all()).map((backend) => backend.name)).toEqual([...BACKENDS])
    await expect(backends.getFreezer('nowhere')).rejects.toMatchObject({ code: 'unknown-backend' })
  })
})
