/** What a boot runs, and what that proves. */
export interface BootCommand {
  /** Null runs the image's own command, of which only the start matters. */
  readonly argv: readonly string[] | null
  /** As a person reads it; null when booting itself is the proof. */
  readonly shown: string | null
}

/** Pure: the check that is asked for, else the image's own, else the least that proves that it runs. */
export function bootCommand(
  check: readonly string[] | null,
  config: { readonly Healthcheck?: unknown; readonly Shell?: unknown } | null | undefined,
  hasShell: boolean,
): BootCommand {
  if (check && check.length > 0) return { argv: check, shown: check.join(' ') }
  const [kind, ...rest] = testOf(config?.Healthcheck)
  const shell = Array.isArray(config?.Shell) ? config.Shell.map(String) : ['/bin/sh', '-c']
  if (kind === 'CMD' && rest.length > 0) return { argv: rest, shown: rest.join(' ') }
  if (kind === 'CMD-SHELL' && rest[0]) return { argv: [...shell, rest[0]], shown: rest[0] }
  return { argv: hasShell ? ['/bin/sh', '-c', 'true'] : null, shown: null }
}

function testOf(healthcheck: unknown): readonly string[] {
  const test = (healthcheck as { readonly Test?: unknown } | null | undefined)?.Test
  return Array.isArray(test) ? test.map(String) : []
}
