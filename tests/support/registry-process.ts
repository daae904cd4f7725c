import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { which } from './prepare.ts'

export interface RegistryProcess {
  /** `127.0.0.1:port`. */
  readonly host: string
  /** Bytes of each blob that a repository holds. */
  blobSizes(repository: string): Promise<readonly number[]>
  stop(): Promise<void>
}

/** The password that the file below lets in, as user `me`. */
export const REGISTRY_PASSWORD = 'canary-pass-5'
const HTPASSWD = 'me:$2b$04$eml6IbfmixOwKSIqMFw8z.TuApBMJE/Ysvp7LGGP4n3zx8s//trYe\n'

/** A real registry on a loopback port of its own, with its data in a temp folder that goes with it. */
export async function startRegistry(
  options: { readonly withPassword?: boolean } = {},
): Promise<RegistryProcess> {
  const program = (await which('docker-registry')) ?? (await which('registry'))
  if (!program) throw new Error('docker-registry is not installed')
  const dir = await mkdtemp(join(tmpdir(), 'icebox-registry-'))
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'data') } },
    http: { addr: '127.0.0.1:0' },
    ...(options.withPassword ? { auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } } } : {}),
  }
  await writeFile(join(dir, 'htpasswd'), HTPASSWD)
  // JSON is YAML too.
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config))
  const child = spawn(program, ['serve', join(dir, 'config.yml')], { stdio: ['ignore', 'pipe', 'pipe'] })
  const port = await portOf(child)
  return {
    host: `127.0.0.1:${port}`,
    async blobSizes(repository) {
      const store = join(dir, 'data', 'docker', 'registry', 'v2')
      const layers = join(store, 'repositories', repository, '_layers', 'sha256')
      const names = await readdir(layers).catch(() => [])
      return Promise.all(
        names.map(
          async (name) => (await stat(join(store, 'blobs/sha256', name.slice(0, 2), name, 'data'))).size,
        ),
      )
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        child.kill()
        await ended
      }
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** The port that the registry says it listens on. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk: Buffer) => {
      said += chunk.toString('utf8')
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]
      if (port) resolve(Number(port))
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.on('error', reject)
    child.on('exit', () => reject(new Error(`the registry ended: ${said.slice(-2000)}`)))
  })
}
