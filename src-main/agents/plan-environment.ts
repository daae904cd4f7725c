import { bottleError } from '../system/bottle-error.ts'
import type { AgentDefinition, ResolvedAgent } from './definitions.ts'
import { derivedEnvironment } from './derived-environment.ts'
import { isEnvName } from './names.ts'
import { CUSTOM_PROMPT_FILE, CUSTOM_SKILLS_DIR, PROVIDERS } from './providers.ts'

/**
 * The plain environment: the provider's, what an agent is told about itself, then git's identity, then the bottle's own, which wins. A name that is
 * also a secret is left to the secret.
 */
export function environmentOf(
  { agent, bottle }: ResolvedAgent,
  secretNames: readonly string[],
  provider: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const below = bottle.gitGate?.user ?? null
  const above = agent.gitGateUser
  const name = above?.name ?? below?.name ?? null
  const email = above?.email ?? below?.email ?? null
  const env = {
    ...provider,
    ...derivedEnvironment(agent),
    ...(name === null ? {} : { GIT_AUTHOR_NAME: name, GIT_COMMITTER_NAME: name }),
    ...(email === null ? {} : { GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_EMAIL: email }),
    ...bottle.env,
  }
  for (const [key, value] of Object.entries(env)) {
    if (!isEnvName(key) || value.includes('\0')) {
      throw bottleError(
        'manifest-invalid',
        `${bottle.file}: \`env\` holds a name or value that can't be passed.`,
      )
    }
  }
  return Object.fromEntries(Object.entries(env).filter(([key]) => !secretNames.includes(key)))
}

/** Skills and, where it is a file, the system prompt; written anew at each launch, so that the manifest counts. */
export function homeFilesOf({ agent, skillFiles }: ResolvedAgent): Readonly<Record<string, string>> {
  const provider = agent.provider === 'custom' ? null : PROVIDERS[agent.provider]
  const folder = provider ? provider.skillsDir : CUSTOM_SKILLS_DIR
  const promptFile = provider ? provider.promptFile : CUSTOM_PROMPT_FILE
  const skills = Object.entries(skillFiles).map(([path, text]) => [`${folder}/${path}`, text] as const)
  const prompt =
    promptFile !== null && agent.systemPrompt !== '' ? [[promptFile, `${agent.systemPrompt}\n`] as const] : []
  return Object.fromEntries([...skills, ...prompt])
}

/** Says up front when nothing would sign the agent in. */
export function signInNotices(agent: AgentDefinition, given: readonly string[]): readonly string[] {
  if (agent.provider === 'custom') return []
  const { signIn } = PROVIDERS[agent.provider]
  if (signIn.some((name) => given.includes(name))) return []
  return [
    `${agent.provider} gets none of ${signIn.join(', ')}. Name one under \`secrets\` or pass --secret, unless the bottle is signed in already.`,
  ]
}
