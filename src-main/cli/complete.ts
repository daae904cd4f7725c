import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { BACKENDS } from '../backends/registry.ts'
import { stateRootDir } from '../state/root.ts'
import { isSlug } from '../state/slug.ts'
import type { Face } from './face.ts'

/** `icebox __complete -- WORD…`: what may stand in place of the last word, a line each. Fast, silent, asks no engine. */
export async function complete(face: Face, words: readonly string[], program: Command): Promise<number> {
  const found = await candidates(program, words, face.cwd).catch(() => [])
  const current = words.at(-1) ?? ''
  const lines = found.filter(({ value }) => value.startsWith(current))
  await face.stdout.write(lines.map(({ value, about }) => `${value}${about ? `\t${about}` : ''}\n`).join(''))
  return 0
}

interface Candidate {
  readonly value: string
  readonly about?: string
}

/** What each command's arguments can be; only of these commands more than the first is completed. */
const SEVERAL: ReadonlySet<string> = new Set(['diff', 'prune', 'validate'])

/** What a command's first argument can be. */
const ARGUMENTS: Readonly<Record<string, readonly Source[]>> = {
  start: ['agents'],
  resume: ['snapshots'],
  fork: ['snapshots'],
  pin: ['snapshots'],
  note: ['snapshots'],
  freeze: ['slugs'],
  stop: ['slugs'],
  restart: ['slugs'],
  destroy: ['slugs'],
  status: ['slugs'],
  logs: ['slugs'],
  attach: ['slugs'],
  send: ['slugs'],
  hooks: ['slugs'],
  try: ['slugs'],
  snapshots: ['slugs'],
  export: ['snapshots'],
  push: ['snapshots'],
  diff: ['snapshots'],
  verify: ['snapshots'],
  prune: ['snapshots'],
  info: ['slugs', 'agents'],
  edit: ['agents'],
  validate: ['agents', 'bottles'],
  check: ['agents'],
  undo: ['trash'],
  completion: ['shells'],
  help: ['commands'],
}

/** What the value of a flag can be. */
const VALUES: Readonly<Record<string, readonly Source[]>> = {
  '--agent': ['agents'],
  '--bottle': ['bottles'],
  '--backend': ['backends'],
}

type Source = 'agents' | 'bottles' | 'slugs' | 'snapshots' | 'trash' | 'shells' | 'backends' | 'commands'

async function candidates(
  program: Command,
  words: readonly string[],
  cwd: string,
): Promise<readonly Candidate[]> {
  const place = placeOf(program, words)
  const gather = async (sources: readonly Source[]): Promise<readonly Candidate[]> => {
    const home = stateRootDir(place.home)
    const lists = await Promise.all(sources.map((source) => list(source, program, home, cwd, place.current)))
    return lists.flat()
  }
  if (place.flag) {
    const option = place.command.options.find((known) => known.long === place.flag)
    const choices = (option?.argChoices ?? []).map((value) => ({ value }))
    return [...choices, ...(await gather(VALUES[place.flag] ?? []))]
  }
  if (place.current.startsWith('-') && !place.isEnded) {
    return place.command.options
      .filter((option) => !option.hidden && option.long)
      .map((option) => ({ value: option.long ?? '', about: option.description }))
  }
  if (place.command.commands.length > 0) return commandsOf(place.command)
  const name = place.command.name()
  return place.position === 0 || SEVERAL.has(name) ? gather(ARGUMENTS[name] ?? []) : []
}

interface Place {
  readonly command: Command
  /** The flag whose value the last word is. */
  readonly flag: string | undefined
  readonly current: string
  /** How many arguments stand before the last word. */
  readonly position: number
  /** After `--` nothing is a flag. */
  readonly isEnded: boolean
  readonly home: string | undefined
}

/** Where the last word stands, read as the parser would. */
function placeOf(program: Command, words: readonly string[]): Place {
  let command = program
  let flag: string | undefined
  let position = 0
  let isEnded = false
  let home: string | undefined
  for (const word of words.slice(0, -1)) {
    if (flag) {
      if (flag === '--home') home = word
      flag = undefined
    } else if (isEnded || !word.startsWith('-')) {
      const below = command.commands.find((known) => known.name() === word || known.aliases().includes(word))
      if (below) command = below
      else if (word === 'help' && command === program) command = helpOf(program)
      else position += 1
    } else if (word === '--') isEnded = true
    else {
      const option = command.options.find((known) => known.long === word || known.short === word)
      if (option?.required) flag = option.long ?? word
    }
  }
  return { command, flag, current: words.at(-1) ?? '', position, isEnded, home }
}

function helpOf(program: Command): Command {
  return program.createCommand('help')
}

function commandsOf(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((below) => ({ value: below.name(), about: below.summary() || below.description() }))
}

async function list(
  source: Source,
  program: Command,
  home: string,
  cwd: string,
  current: string,
): Promise<readonly Candidate[]> {
  switch (source) {
    case 'commands':
      return commandsOf(program)
    case 'shells':
      return ['bash', 'zsh', 'fish'].map((value) => ({ value }))
    case 'backends':
      return BACKENDS.map((value) => ({ value }))
    case 'agents':
      return (
        await Promise.all([agentsIn(join(home, 'agents')), agentsIn(join(cwd, '.bot-bottle', 'agents'))])
      ).flat()
    case 'bottles':
      return manifests(join(home, 'bottles'))
    case 'trash':
      return (await names(join(home, 'trash'))).map((value) => ({ value }))
    case 'slugs':
      return (await names(join(home, 'state'))).filter(isSlug).map((value) => ({ value }))
    case 'snapshots': {
      const at = current.indexOf('@')
      const slug = current.slice(0, Math.max(0, at))
      if (!isSlug(slug)) return list('slugs', program, home, cwd, current)
      const files = await names(join(home, 'state', slug, 'snapshots'))
      const ids = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))
      return ['latest', ...ids].map((id) => ({ value: `${slug}@${id}` }))
    }
  }
}

async function manifests(folder: string): Promise<readonly Candidate[]> {
  const files = await names(folder)
  return files.filter((file) => file.endsWith('.md')).map((file) => ({ value: file.slice(0, -'.md'.length) }))
}

/** Markdown, YAML, and folders that hold YAML of their own. */
async function agentsIn(folder: string): Promise<readonly Candidate[]> {
  const { yamlAgents } = await import('../agents/yaml/yaml-files.ts')
  const yaml = await yamlAgents(folder).catch(() => [])
  return [...(await manifests(folder)), ...yaml.map(({ name }) => ({ value: name }))]
}

async function names(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}
