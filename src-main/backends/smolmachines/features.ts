/** Version of a program, most significant first. */
export type Version = readonly [number, number, number]

/** What one installed smolvm can do: read from its version and its own help, never assumed. */
export interface SmolFeatures {
  readonly version: Version
  readonly versionText: string
  /** From 1.0.2 on names are flags; before, `create`, `delete` and `fork` take them by position. */
  readonly hasNameFlag: boolean
  /** `create --label`, and labels in lists. Without them a record of ours tells what belongs to whom. */
  readonly labels: boolean
  readonly checkpoint: boolean
  readonly branch: boolean
  readonly pause: boolean
  /** `pack create --include-workspace`. */
  readonly includeWorkspace: boolean
  /** `pack create --staging-dir`. */
  readonly stagingDir: boolean
  /** `exec --user`. */
  readonly execUser: boolean
  /** `create --user`. */
  readonly createUser: boolean
  /** `create --image` takes an archive or a folder of this machine. */
  readonly localImages: boolean
  /** A machine made from a local image can be packed. */
  readonly packsLocalImages: boolean
  /** An image is fetched for a machine without a network too. */
  readonly pullsWithoutNetwork: boolean
  readonly netBackend: boolean
}

/** The help texts that features are read from. */
export interface SmolHelp {
  readonly machine: string
  readonly create: string
  readonly exec: string
  readonly pack: string
}

/** The version in `smolvm --version`; null for any other text. Pure. */
export function parseVersion(text: string): Version | null {
  const found = /\bsmolvm\s+v?(\d+)\.(\d+)\.(\d+)/i.exec(text)
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : null
}

/** True for a version that is at least the other. Pure. */
export function isAtLeast(version: Version, wanted: Version): boolean {
  for (const [index, part] of version.entries()) {
    const other = wanted[index] ?? 0
    if (part !== other) return part > other
  }
  return true
}

/** Help lists flags and commands at the start of indented lines. */
const hasFlag = (help: string, flag: string): boolean =>
  new RegExp(`^\\s+(-\\w, )?--${flag}(?![\\w-])`, 'm').test(help)
const hasCommand = (help: string, command: string): boolean =>
  new RegExp(`^\\s+${command}(?![\\w-])`, 'm').test(help)

/** Pure. */
export function readFeatures(version: Version, help: SmolHelp): SmolFeatures {
  return {
    version,
    versionText: version.join('.'),
    hasNameFlag: hasFlag(help.create, 'name'),
    labels: hasFlag(help.create, 'label'),
    checkpoint: hasCommand(help.machine, 'checkpoint'),
    branch: hasCommand(help.machine, 'branch'),
    pause: hasCommand(help.machine, 'pause'),
    includeWorkspace: hasFlag(help.pack, 'include-workspace'),
    stagingDir: hasFlag(help.pack, 'staging-dir'),
    execUser: hasFlag(help.exec, 'user'),
    createUser: hasFlag(help.create, 'user'),
    localImages: isAtLeast(version, [1, 1, 0]),
    packsLocalImages: !isAtMost(version, [1, 9, 3]),
    pullsWithoutNetwork: isAtLeast(version, [1, 23, 0]),
    netBackend: hasFlag(help.create, 'net-backend'),
  }
}

function isAtMost(version: Version, wanted: Version): boolean {
  return isAtLeast(wanted, version)
}
