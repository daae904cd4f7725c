import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isKebab } from '../../agents/names.ts'
import type { Icebox } from '../../icebox.ts'
import { createDurable } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { agentTemplate, bottleTemplate } from '../agent-template.ts'
import type { Face } from '../face.ts'
import { withIcebox } from '../session.ts'
import { usageError } from '../usage.ts'

/** `icebox init`: the sample, or a first version of an agent of one's own. Never writes over a file. */
export async function init(
  face: Face,
  name: string | undefined,
  flags: { readonly project?: boolean },
): Promise<number> {
  if (name !== undefined && !isKebab(name)) {
    throw usageError(
      `${JSON.stringify(name.slice(0, 60))} can't name an agent. Use lower-case words with hyphens.`,
    )
  }
  if (name === undefined && flags.project) throw usageError('--project needs a name for the agent.')
  return withIcebox(face, async (icebox) => {
    const made =
      name === undefined ? await writeSample(face, icebox) : await writeOwn(face, icebox, name, flags)
    await face.result({
      json: made,
      text:
        made.files.map((file) => `Wrote ${file}`).join('\n') || `The agent ${made.agent} is there already.`,
      essential: made.agent,
    })
    await face.say(
      name === undefined
        ? `Start it with \`icebox start ${made.agent}\`.`
        : `Change it with \`icebox edit ${made.agent}\`, start it with \`icebox start ${made.agent}\`.`,
    )
    return 0
  })
}

interface Made {
  readonly agent: string
  /** What was written; empty when all was there. */
  readonly files: readonly string[]
}

async function writeSample(face: Face, icebox: Icebox): Promise<Made> {
  const files = async (): Promise<readonly string[]> => {
    const { agents, bottles } = await icebox.agents.list(face.cwd)
    return [...agents, ...bottles].map((found) => found.file)
  }
  const before = new Set(await files())
  const { agent } = await icebox.agents.sample()
  return { agent, files: (await files()).filter((file) => !before.has(file)) }
}

async function writeOwn(
  face: Face,
  icebox: Icebox,
  name: string,
  flags: { readonly project?: boolean },
): Promise<Made> {
  const folder = flags.project ? join(face.cwd, '.bot-bottle', 'agents') : icebox.root.path('agents')
  const agentFile = join(folder, `${name}.md`)
  const bottleFile = icebox.root.path('bottles', `${name}.md`)
  if (!(await writeNew(agentFile, agentTemplate(name)))) {
    throw bottleError('exists', `${agentFile} is there already. \`icebox edit ${name}\` opens it.`)
  }
  // Bottles come from the state root only, so a project's agent gets its bottle there too.
  const hasBottle = await writeNew(bottleFile, bottleTemplate(name))
  return { agent: name, files: hasBottle ? [agentFile, bottleFile] : [agentFile] }
}

/** True when the file was written, false when there was one. */
async function writeNew(file: string, text: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true })
  return createDurable(file, text, 0o644)
}
