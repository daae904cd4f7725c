import type {
  BottleDefinition,
  BottleLayer,
  EgressDefinition,
  GitGateDefinition,
  ProviderSettings,
  SidecarDefinition,
  SidecarLayer,
} from './definitions.ts'
import type { ManifestProblem } from './problems.ts'

/**
 * Lays one bottle over another: the rule of `extends` and of a launch with several bottles.
 * Single values replace; `image` and `build` replace each other whole. Maps merge by key, sidecars field by
 * field. `secrets` are united in order. `mounts` replace by target, `egress.routes` by host. `command`, `args` and
 * `health` replace whole. Associative: (a + b) + c equals a + (b + c).
 */
export function mergeLayers(under: BottleLayer, over: BottleLayer): BottleLayer {
  return {
    ...under,
    ...over,
    extends: replaceBy(under.extends, over.extends, (parent) => parent.name),
    env: { ...under.env, ...over.env },
    secrets: union(under.secrets, over.secrets),
    mounts: replaceBy(under.mounts, over.mounts, (mount) => mount.target),
    resources: { ...under.resources, ...over.resources },
    sidecars: mergeMaps(under.sidecars, over.sidecars, mergeSidecars),
    egress: mergePresent(under.egress, over.egress, mergeEgress),
    gitGate: mergePresent(under.gitGate, over.gitGate, mergeGitGate),
    provider: mergePresent(under.provider, over.provider, mergeProvider),
    health: over.health ?? under.health,
  }
}

/** The effective bottle of a merged layer, or what is still missing in it. */
export function finishBottle(
  layer: BottleLayer,
  name: string,
): { readonly bottle: BottleDefinition; readonly problems: readonly ManifestProblem[] } {
  const problems: ManifestProblem[] = []
  const sidecars: [string, SidecarDefinition][] = []
  for (const [sidecar, { line, image, command, ...rest }] of Object.entries(layer.sidecars)) {
    if (image === undefined) {
      problems.push({
        file: layer.file,
        line,
        message: `The sidecar ${sidecar} has no \`image\`.`,
        hint: null,
      })
    }
    sidecars.push([sidecar, { ...rest, image: image ?? '', command: command ?? null }])
  }
  const { origin } = layer
  const bottle: BottleDefinition = {
    name,
    file: layer.file,
    extends: layer.extends.map((parent) => parent.name),
    image: origin && 'image' in origin ? origin.image : null,
    build: origin && 'build' in origin ? origin.build : null,
    backend: layer.backend ?? null,
    user: layer.user ?? null,
    workdir: layer.workdir ?? null,
    env: layer.env,
    secrets: layer.secrets,
    mounts: layer.mounts,
    resources: { cpus: layer.resources.cpus ?? null, memoryBytes: layer.resources.memoryBytes ?? null },
    sidecars: Object.fromEntries(sidecars),
    egress: layer.egress,
    gitGate: layer.gitGate,
    supervise: layer.supervise ?? null,
    provider: layer.provider,
    health: layer.health,
  }
  return { bottle, problems }
}

function union(first: readonly string[], second: readonly string[]): readonly string[] {
  return [...new Set([...first, ...second])]
}

/** Items of `under` whose key `over` doesn't use, then those of `over`. */
function replaceBy<T>(under: readonly T[], over: readonly T[], key: (item: T) => string): readonly T[] {
  const taken = new Set(over.map(key))
  return [...under.filter((item) => !taken.has(key(item))), ...over]
}

function mergeMaps<T>(
  under: Readonly<Record<string, T>>,
  over: Readonly<Record<string, T>>,
  merge: (under: T, over: T) => T,
): Readonly<Record<string, T>> {
  const merged = new Map(Object.entries(under))
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key)
    merged.set(key, below === undefined ? value : merge(below, value))
  }
  return Object.fromEntries(merged)
}

function mergePresent<T>(under: T | null, over: T | null, merge: (under: T, over: T) => T): T | null {
  if (under === null || over === null) return over ?? under
  return merge(under, over)
}

function mergeSidecars(under: SidecarLayer, over: SidecarLayer): SidecarLayer {
  return {
    ...under,
    ...over,
    env: { ...under.env, ...over.env },
    secrets: union(under.secrets, over.secrets),
  }
}

function mergeEgress(under: EgressDefinition, over: EgressDefinition): EgressDefinition {
  return { routes: replaceBy(under.routes, over.routes, (route) => route.host) }
}

function mergeGitGate(under: GitGateDefinition, over: GitGateDefinition): GitGateDefinition {
  return {
    user: mergePresent(under.user, over.user, (below, above) => ({
      name: above.name ?? below.name,
      email: above.email ?? below.email,
    })),
    repos: { ...under.repos, ...over.repos },
  }
}

function mergeProvider(under: ProviderSettings, over: ProviderSettings): ProviderSettings {
  return {
    name: over.name ?? under.name,
    args: over.args ?? under.args,
    permissions: over.permissions ?? under.permissions,
    other: { ...under.other, ...over.other },
  }
}
