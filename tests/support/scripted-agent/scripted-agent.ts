import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { makeImage } from '../images.ts'

const PARTS = ['1-base', '2-arguments', '3-transcript', '4-screen', '5-turn', '6-main']

export type ScriptedName = 'claude' | 'codex' | 'pi' | (string & {})

/** How a scripted agent behaves; all parts are optional. Seconds may have tenths. */
export interface Scenario {
  /** Seconds before it shows anything of use. */
  readonly boot?: number
  /** Changed screens, a fifth of a second apart, before it is ready. */
  readonly paints?: number
  /** Questions at the start, in order. `bypass`, `channels` and `trust` end the program on the wrong answer. */
  readonly ask?: readonly ('bypass' | 'channels' | 'effort' | 'trust' | 'yn' | 'strange')[]
  /** Turns that it takes by itself once it is ready, as if somebody had typed them; see `instructions` in README.md. */
  readonly then?: readonly string[]
  /** Seconds after typed text in which an Enter is lost. */
  readonly settle?: number
  /** Seconds of work per plain turn and compaction. */
  readonly work?: number
  /** The answer to each plain prompt; default `Done: <prompt>`. */
  readonly reply?: string
  readonly model?: string
  /** Tokens of context at the start, and how many each turn adds. */
  readonly tokens?: number
  readonly step?: number
  readonly window?: number
  readonly compact?: 'ok' | 'fail' | 'no-effect'
  /** Whole dollars; a quarter is added. */
  readonly cost?: number
  /** Percent used of the five-hour and the seven-day limit. */
  readonly limit5?: number
  readonly limit7?: number
  /** When the limit's text says that it ends. */
  readonly resets?: string
  /** False: keys typed before it is ready are kept. */
  readonly flush?: boolean
  /** True: each plain turn uses a tool. */
  readonly tool?: boolean
}

/** The program's text. */
export async function scriptedProgram(): Promise<string> {
  const parts = PARTS.map((part) => readFile(join(import.meta.dirname, 'parts', `${part}.sh`), 'utf8'))
  return (await Promise.all(parts)).join('')
}

/** A scenario as the program reads it. Pure. */
export function scenarioText(scenario: Scenario): string {
  return Object.entries(scenario)
    .map(([key, value]) => `${key}=${valueText(key, value)}\n`)
    .join('')
}

function valueText(key: string, value: unknown): string {
  if (Array.isArray(value)) return value.join(key === 'then' ? ';' : ' ')
  if (typeof value === 'boolean') return value ? '1' : key === 'flush' ? '0' : ''
  return String(value)
}

/** Installs the agent under a name into a folder that a test puts on the PATH. Resolves with the folder. */
export async function scriptedAgent(
  dir: string,
  scenario: Scenario = {},
  name: ScriptedName = 'claude',
): Promise<string> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, name), await scriptedProgram(), { mode: 0o755 })
  await writeFile(join(dir, `${name}.scenario`), scenarioText(scenario))
  return dir
}

/** Folders of this machine in whose place a sandboxed agent has empty ones. */
const HIDDEN = ['/tmp', '/var/tmp', '/run', '/private/tmp', '/private/var']

/** A new folder that agents inside a sandbox of this machine see too, wherever the checkout lies. The caller removes it. */
export async function visibleFolder(): Promise<{ readonly dir: string; remove(): Promise<void> }> {
  const checkout = await realpath(join(import.meta.dirname, '../../..'))
  const places = [
    join(checkout, 'node_modules/.cache'),
    join(userInfo().homedir, '.cache'),
    '/usr/local/share',
  ]
  const base = places.find((place) => !HIDDEN.some((hidden) => place.startsWith(`${hidden}/`)))
  if (!base) throw new Error(`None of ${places.join(', ')} is seen inside a sandbox.`)
  await mkdir(base, { recursive: true })
  const dir = await mkdtemp(join(base, 'icebox-scripted-'))
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

/** A busybox image with the agent in /bin; removed with the test file. */
export async function scriptedImage(
  scenario: Scenario = {},
  name: ScriptedName = 'claude',
  changes: readonly string[] = [],
): Promise<string> {
  const dir = await scriptedAgent(await mkdtemp(join(tmpdir(), 'scripted-')), scenario, name)
  try {
    return await makeImage(`scripted-${name}`, changes, {
      [`/bin/${name}`]: join(dir, name),
      [`/bin/${name}.scenario`]: join(dir, `${name}.scenario`),
    })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** What the agent wrote down of its life: `start`, `prompt … answered`, `ready`, `turn`, `asked`, `exit`. */
export async function scriptedLog(home: string): Promise<readonly string[]> {
  const text = await readFile(join(home, '.scripted-agent/log'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
