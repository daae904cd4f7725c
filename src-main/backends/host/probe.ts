import { join } from 'node:path'
import type { EngineReport } from '../../../src-preload/contract/index.ts'
import { canShareBlocks } from './clone-trees.ts'
import { type HostContext, installOf } from './host-context.ts'

/** What this machine can do as an engine; it is always there, so only parts of it can be missing. */
export async function probeHost(context: HostContext, signal: AbortSignal): Promise<EngineReport> {
  const [isolation, tmux, screen, reflink] = await Promise.all([
    context.isolation(signal),
    context.terminalProgram('tmux'),
    context.terminalProgram('screen'),
    canShareBlocks(join(context.home, 'icebox')),
  ])
  const reasons = [isolation.reason, tmux ? null : withoutTmux(screen !== undefined)]
  const fixes = [isolation.fix, tmux ? null : installOf('tmux')]
  return {
    name: 'host',
    title: 'This machine',
    state: 'ready',
    version: null,
    endpoint: null,
    remote: false,
    capabilities: {
      liveFreeze: true,
      isolation: isolation.kind !== 'none',
      networkSandbox: isolation.hasNetwork,
      interactive: tmux !== undefined,
      reflink,
      volumes: false,
      sidecars: false,
    },
    limits: [],
    reason: joined(reasons, ' '),
    fix: joined(fixes, ' && '),
  }
}

/** An agent may ask for `screen` in its place. Pure. */
function withoutTmux(hasScreen: boolean): string {
  return hasScreen
    ? 'tmux is not installed, so only agents with `multiplexer: screen` get a terminal here.'
    : 'tmux is not installed, so interactive bottles need docker.'
}

function joined(parts: readonly (string | null)[], separator: string): string | null {
  return parts.filter((part) => part !== null).join(separator) || null
}
