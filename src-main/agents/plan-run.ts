import type { ImageSource } from '../backends/backend.ts'
import type { BottleDefinition } from './definitions.ts'
import { providerContextDir } from './images/provider-images.ts'
import { planCommand, skipsPermissions } from './plan-command.ts'
import { environmentOf, homeFilesOf, signInNotices } from './plan-environment.ts'
import type { PlanInput, PlannedRun, PlannedSidecar } from './plan-types.ts'
import { manifestError } from './problems.ts'
import { planWorkspace, type WorkspacePlan } from './workspace/workspace-files.ts'

export type { PlanInput, PlannedRun, PlannedSidecar } from './plan-types.ts'

/**
 * Plans a run from its definitions. Pure: reads and writes nothing.
 * @throws BottleError `usage` for a prompt that can't be passed, `manifest-invalid` for what the definitions lack.
 */
export function planRun(input: PlanInput): PlannedRun {
  const { agent, bottle } = input.resolved
  const isHost = input.backend === 'host'
  const folded = foldedVolumes(input)
  const image = imageOf(input)
  const isProviderImage = image.kind === 'build' && bottle.build === null
  const command = planCommand(input, isProviderImage)
  const network = networkOf(input)
  const secretNames = [...new Set([...bottle.secrets, ...input.secretNames])]
  const env = environmentOf(input.resolved, secretNames, command.env)
  const workspace = workspaceOf(input)
  return {
    image,
    ...(isProviderImage ? { providerImage: agent.provider } : {}),
    argv: command.argv,
    prompt: command.prompt,
    env,
    secretNames,
    sidecars: isHost ? [] : sidecarsOf(bottle),
    mounts: isHost ? [] : bottle.mounts.filter((mount) => !folded.includes(mount)),
    resources: isHost ? { cpus: null, memoryBytes: null } : bottle.resources,
    user: isHost ? null : bottle.user,
    workdir: isHost ? null : bottle.workdir,
    network: network.kind,
    homeFiles: { ...homeFilesOf(input.resolved), ...command.homeFiles, ...workspace.homeFiles },
    ...(workspace.merged ? { merged: workspace.merged } : {}),
    multiplexer: agent.lifecycle.multiplexer,
    notices: [
      ...network.notices,
      ...(isHost ? ignoredOnHost(bottle) : []),
      ...(folded.length > 0
        ? [`Volumes are plain folders there: ${folded.map(({ target }) => target).join(', ')}.`]
        : []),
      ...command.notices,
      ...workspace.notices,
      ...signInNotices(agent, [...secretNames, ...Object.keys(env)]),
    ],
    forgeSidecar: !isHost && Object.hasOwn(bottle.sidecars, 'forge'),
  }
}

/** Backends that merge files before a start. */
const MERGING: readonly string[] = ['docker', 'host']

/** What the definition wants in the working folder, beside what a person has there. */
function workspaceOf(input: PlanInput): Partial<WorkspacePlan> & { readonly notices: readonly string[] } {
  const { agent, bottle } = input.resolved
  const plan = planWorkspace({
    agent,
    skipPermissions: agent.provider !== 'custom' && skipsPermissions(input),
    args: [...(bottle.provider?.args ?? []), ...agent.lifecycle.args],
  })
  if (!plan) return { notices: [] }
  if (MERGING.includes(input.backend)) return { ...plan, notices: [] }
  return { notices: [`CLAUDE.md, .mcp.json and settings are not written on ${input.backend} yet.`] }
}

/** Engines without volumes: a bottle that comes from one that has them brings their content along as folders. */
const VOLUMELESS: readonly string[] = ['macos-container', 'smolmachines']

function foldedVolumes({ resolved, backend, resuming }: PlanInput) {
  if (!resuming || !VOLUMELESS.includes(backend)) return []
  return resolved.bottle.mounts.filter(({ type, external }) => type === 'volume' && !external)
}

/** The bottle's image or build, else the Dockerfile that ships for the provider. */
function imageOf({ resolved, backend, resuming }: PlanInput): ImageSource {
  const { agent, bottle, rootDir } = resolved
  if (backend === 'host') return { kind: 'none' }
  if (bottle.image !== null) return { kind: 'image', reference: bottle.image }
  if (bottle.build !== null) return { kind: 'build', ...bottle.build }
  if (agent.provider !== 'custom') {
    const context = providerContextDir(rootDir, agent.provider)
    return { kind: 'build', context, dockerfile: 'Dockerfile', target: null, isShipped: true }
  }
  // A snapshot is its own image; only a rebuild would need one.
  if (resuming) return { kind: 'none' }
  throw manifestError([
    {
      file: bottle.file,
      line: 1,
      message: `The bottle ${bottle.name} names no image, and a custom agent has none of its own.`,
      hint: 'Add `image` or `build`, or use the backend host.',
    },
  ])
}

/** A policy that nothing enforces yet means no network at all, unless this one start overrides it. */
function networkOf({ resolved, unenforcedEgress }: PlanInput): {
  readonly kind: PlannedRun['network']
  readonly notices: readonly string[]
} {
  const { egress, gitGate } = resolved.bottle
  const declared = [...(egress ? ['egress'] : []), ...(gitGate ? ['git-gate'] : [])].join(' and ')
  if (declared === '') return { kind: 'default', notices: [] }
  const cause = `The bottle declares ${declared}, which Icebox can't enforce yet`
  return unenforcedEgress
    ? { kind: 'unenforced', notices: [`${cause}: this run has the WHOLE network, since you asked for it.`] }
    : {
        kind: 'none',
        notices: [`${cause}: this run has NO network. --unenforced-egress overrides it for one start.`],
      }
}

function sidecarsOf(bottle: BottleDefinition): readonly PlannedSidecar[] {
  return Object.entries(bottle.sidecars).map(([name, { secrets, ...sidecar }]) => ({
    name,
    ...sidecar,
    secretNames: secrets,
  }))
}

function ignoredOnHost(bottle: BottleDefinition): readonly string[] {
  const { image, build, user, workdir, mounts, resources, sidecars } = bottle
  const ignored = Object.entries({
    image,
    build,
    user,
    workdir,
    mounts: mounts[0] ?? null,
    resources: resources.cpus ?? resources.memoryBytes,
    sidecars: Object.keys(sidecars)[0] ?? null,
  }).filter(([, value]) => value !== null)
  if (ignored.length === 0) return []
  return [
    `These keys are for containers and are ignored on this machine: ${ignored.map(([key]) => key).join(', ')}.`,
  ]
}
