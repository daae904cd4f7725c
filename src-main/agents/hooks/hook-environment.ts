import { dirname } from 'node:path'
import type { HookPoint } from '../../../src-preload/contract/agents.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Json } from '../definitions.ts'
import type { HookAgent, HookContext } from './types.ts'

/** Variables of a person's own environment that programs need and that hold no secret. */
const PASSED = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TZ', 'LANG', 'LANGUAGE'],
  ...['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME'],
  ...['DOCKER_HOST', 'DOCKER_CONTEXT', 'SSH_AUTH_SOCK', 'DBUS_SESSION_BUS_ADDRESS', 'DISPLAY'],
  'WAYLAND_DISPLAY',
]

/** Names `<slug>:<point>` of the hooks that called for this process, outermost first. */
export const CHAIN = 'ICEBOX_HOOK_CHAIN'
/** Tells the processes of one hook from all others. */
export const TOKEN = 'ICEBOX_HOOK_TOKEN'

/** One text for a variable: objects and lists as JSON, null as nothing. Pure. */
export function variableText(value: Json): string {
  if (value === null) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  // No variable can hold it.
  return text.replaceAll('\0', '')
}

/** A context key as the end of a variable's name. Pure. */
export function variableName(key: string): string {
  return key.toUpperCase().replace(/[^A-Z0-9_]/g, '_')
}

/**
 * Everything that a shell hook is told, under the seed's names and our own. Secrets of Icebox's environment are not
 * among it. Source: scitex §5. Pure.
 */
export function hookEnvironment(
  base: NodeJS.ProcessEnv,
  agent: HookAgent,
  event: {
    readonly point: HookPoint
    readonly context: HookContext
    readonly home: string
    readonly stateDir: string
    readonly token: string
    readonly isTrial: boolean
  },
): Record<string, string> {
  const { point, context } = event
  const passed = Object.entries(base).flatMap(([name, value]) =>
    value !== undefined && (PASSED.includes(name) || name.startsWith('LC_')) ? [[name, value] as const] : [],
  )
  const facts = Object.entries(context).flatMap(([key, value]) => {
    const end = variableName(key)
    const text = variableText(value)
    return [[`SCITEX_HOOK_CTX_${end}`, text] as const, [`ICEBOX_HOOK_CTX_${end}`, text] as const]
  })
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...agent.env,
    ...Object.fromEntries(passed),
    ...Object.fromEntries(facts),
    SCITEX_AGENT_CONTAINER_CONFIG_PATH: agent.configPath,
    SCITEX_AGENT_CONTAINER_SCREEN_NAME: agent.screenName,
    SCITEX_AGENT_CONTAINER_NAME: agent.slug,
    SCITEX_AGENT_NAME: agent.slug,
    SCITEX_HOOK: point,
    ICEBOX_HOME: event.home,
    ICEBOX_SLUG: agent.slug,
    ICEBOX_AGENT: agent.agentName,
    ICEBOX_LABEL: agent.label,
    ICEBOX_CONFIG_PATH: agent.configPath,
    ICEBOX_SCREEN_NAME: agent.screenName,
    ICEBOX_HOOK: point,
    ICEBOX_RUN: agent.runId ?? '',
    ICEBOX_STATE_DIR: event.stateDir,
    ICEBOX_HOOK_TRIAL: event.isTrial ? '1' : '',
    [CHAIN]: [...chainOf(base), `${agent.slug}:${point}`].join(' '),
    [TOKEN]: event.token,
  }
}

/** The hooks that this process was called by. Pure. */
export function chainOf(env: NodeJS.ProcessEnv): readonly string[] {
  return (env[CHAIN] ?? '').split(' ').filter((link) => link !== '')
}

/** True when a hook of this very point of the bottle called for what is to be done now. Pure. */
export function isNested(env: NodeJS.ProcessEnv, slug: string, point: HookPoint): boolean {
  return chainOf(env).includes(`${slug}:${point}`)
}

/** What such a call gets where the hook stands before it. */
export function nestedError(slug: string, point: HookPoint): Error {
  return bottleError(
    'busy',
    `${slug}: its ${point} hook is running and calls for the same again. Nothing was changed.`,
    { slug },
  )
}

/** The environment of a process that a hook may start and that outlives the hook. Pure. */
export function outsideHooks(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = /^(?:ICEBOX|SCITEX)_HOOK(?:_|$)/
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)))
}

/** The folder that shell hooks run in: the definition's, else the bottle's state folder. Pure. */
export function hookFolder(configPath: string, stateDir: string): string {
  return configPath === '' ? stateDir : dirname(configPath)
}
