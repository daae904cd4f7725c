import type { EngineReport } from '../../../src-preload/contract/index.ts'
import { toFailure } from '../../system/bottle-error.ts'
import type { Engine } from './engine.ts'

const PROBE_MS = 5000

/** Asks the daemon for its version. A value, never a throw. */
export async function probeDocker(engine: Engine, signal: AbortSignal): Promise<EngineReport> {
  let url: string | null = null
  let remote = false
  try {
    const endpoint = await engine.endpoint()
    url = endpoint.url
    remote = endpoint.remote
    const version = await engine.get<{ Version?: string }>('report its version', '/version', signal, PROBE_MS)
    return {
      ...report(url, remote),
      title: `Docker ${version.Version ?? ''}`.trim(),
      state: 'ready',
      version: version.Version ?? null,
      capabilities: {
        liveFreeze: true,
        pause: true,
        labels: true,
        volumes: true,
        terminal: true,
        memory: false,
        binds: !remote,
      },
    }
  } catch (thrown) {
    const failed = toFailure(thrown)
    const missing = failed.code === 'engine-missing'
    return {
      ...report(url, remote),
      state: missing ? 'missing' : failed.code === 'engine-down' ? 'down' : 'unknown',
      reason: failed.message,
      fix: fixFor(failed.code, remote),
    }
  }
}

function report(endpoint: string | null, remote: boolean): EngineReport {
  return {
    name: 'docker',
    title: 'Docker',
    state: 'unknown',
    version: null,
    endpoint,
    remote,
    capabilities: {},
    limits: [],
    reason: null,
    fix: null,
  }
}

function fixFor(code: string, remote: boolean): string | null {
  const isMac = process.platform === 'darwin'
  if (code === 'engine-missing')
    return isMac ? 'brew install --cask docker' : 'sudo apt-get install docker.io'
  if (code === 'permission') return 'sudo usermod -aG docker "$USER"'
  if (code !== 'engine-down' || remote) return null
  return isMac ? 'open -a Docker' : 'sudo systemctl start docker'
}
