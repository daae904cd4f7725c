import { openManifestIndex } from '../agents/manifest-index.ts'
import type { SnapshotFacts } from '../artifacts/facts.ts'
import { ownArchitecture } from '../artifacts/import/choose-image.ts'
import type { ReadImage } from '../artifacts/import/read-staged.ts'
import type { ArtifactDeps } from './artifact-deps.ts'

/** What a person should know of an imported bottle before it is resumed; kept with its metadata. */
export async function importNotices(
  deps: Pick<ArtifactDeps, 'root'>,
  image: ReadImage,
): Promise<readonly string[]> {
  const { facts, platform, staged } = image
  const came = facts
    ? `Imported from ${quoted(staged.name)}: ${facts.bottle.slug}@${facts.snapshot.id}, frozen on ${plain(facts.snapshot.backend)}.`
    : `Imported from ${quoted(staged.name)}, which Icebox did not make: it runs its image's own command, with no agent.`
  const notices = [came]
  if (platform.architecture !== ownArchitecture()) {
    notices.push(`It was made for ${plain(platform.architecture)}, and this machine is ${ownArchitecture()}.`)
  }
  if (!facts) return notices
  if (facts.snapshot.fidelity === 'files+memory') {
    notices.push('Its memory can not be brought back here: it resumes from its files.')
  }
  return [...notices, ...(await definitionNotices(deps, facts))]
}

async function definitionNotices(
  deps: Pick<ArtifactDeps, 'root'>,
  { bottle, definitions }: SnapshotFacts,
): Promise<readonly string[]> {
  if (bottle.agent === '') return []
  const index = await openManifestIndex(deps.root, null)
  const isOwn = index.agents.has(bottle.agent) && bottle.bottleNames.every((name) => index.bottles.has(name))
  const secrets =
    bottle.secretNames.length > 0 ? ` It wants the secrets ${bottle.secretNames.join(', ')}.` : ''
  if (isOwn) {
    return [`It resumes with this machine's own definition of the agent ${bottle.agent}.${secrets}`]
  }
  if (!Object.hasOwn(definitions.agents, bottle.agent) && !index.agents.has(bottle.agent)) {
    return [`It needs the agent ${bottle.agent}, which is neither here nor in the artifact.${secrets}`]
  }
  return [
    `It resumes with the definition of the agent ${bottle.agent} that it brings along, without mounts and sidecars.${secrets}`,
  ]
}

const quoted = (text: string) => JSON.stringify(plain(text))
const plain = (text: string) => text.slice(0, 100).replace(/\p{Cc}/gu, '\uFFFD')
