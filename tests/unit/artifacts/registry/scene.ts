import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { parseReference } from '../../../../src-main/artifacts/registry/reference.ts'
import { openSession, type Session } from '../../../../src-main/artifacts/registry/session.ts'
import { type FakeRegistry, type FakeRegistryOptions, fakeRegistry } from '../../../support/fake-registry.ts'
import { tempFolder } from '../../../support/test-root.ts'

export const signal = new AbortController().signal
/** Short pauses: what is tested is that there are pauses and an end. */
export const retries = { attempts: 4, baseMs: 2 }

export const sha = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export interface RegistryScene {
  readonly registry: FakeRegistry
  readonly session: Session
  readonly dir: string
}

/** A registry, and a session with it; `login` is what `docker login` has kept. */
export async function registryScene(
  options: FakeRegistryOptions = {},
  setup: { readonly login?: object; readonly idleMs?: number; readonly access?: 'pull' | 'push' } = {},
): Promise<RegistryScene> {
  const registry = await fakeRegistry(options)
  const dir = await tempFolder()
  if (setup.login) await writeLogin(dir, registry.host, setup.login)
  const session = await openSession(
    parseReference(`${registry.host}/me/web:v1`),
    setup.access ?? 'push',
    { env: { HOME: dir, PATH: process.env.PATH }, retries, idleMs: setup.idleMs ?? 5000 },
    signal,
  )
  onTestFinished(() => session.close())
  return { registry, session, dir }
}

async function writeLogin(home: string, host: string, entry: object): Promise<void> {
  await mkdir(join(home, '.docker'), { recursive: true })
  await writeFile(join(home, '.docker', 'config.json'), JSON.stringify({ auths: { [host]: entry } }))
}

/** A file of random bytes, as a blob. */
export async function blobFile(dir: string, size: number) {
  const bytes = randomBytes(size)
  const file = join(dir, `blob-${size}`)
  await writeFile(file, bytes)
  return { bytes, blob: { digest: sha(bytes), size, file } }
}
