import { resolve } from 'node:path'
import type { MountPlan } from '../backends/backend.ts'
import { readBoolean, readChoice, readFields, readText } from './fields.ts'
import type { Field, Located } from './frontmatter.ts'
import { quoted, type Report } from './problems.ts'

export interface PathBase {
  /** Folder that relative paths start from. */
  readonly folder: string
  readonly homeDir: string
}

const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
/** Places of the system, and the folder by which a launch reaches its agent. */
const RESERVED = ['/', '/proc', '/sys', '/dev', '/run/icebox']

/** `~` and `~/x` at the front of a path. */
export function expandHome(path: string, homeDir: string): string {
  return path === '~' || path.startsWith('~/') ? homeDir + path.slice(1) : path
}

/** Mounts, each as `source:target[:ro|rw]` or as a map; a target may be used once. */
export function readMounts(field: Field | undefined, base: PathBase, report: Report): readonly MountPlan[] {
  if (!field || (field.value.kind === 'scalar' && field.value.value === null)) return []
  if (field.value.kind !== 'list') {
    report(field.line, '`mounts` must be a list.', 'For example: - ~/data:/data:ro')
    return []
  }
  const mounts = new Map<string, MountPlan>()
  for (const item of field.value.items) {
    const mount = item.kind === 'map' ? fromMap(item, base, report) : fromText(item, base, report)
    if (!mount) continue
    if (mounts.has(mount.target)) report(item.line, `Two mounts have the target ${quoted(mount.target)}.`)
    mounts.set(mount.target, mount)
  }
  return [...mounts.values()]
}

function fromText(item: Located, base: PathBase, report: Report): MountPlan | undefined {
  if (item.kind !== 'scalar' || typeof item.value !== 'string') {
    report(item.line, 'A mount must be `source:target`, with `:ro` if needed, or a map.')
    return undefined
  }
  const parts = item.value.split(':')
  const [source, target, mode] = parts
  if (!source || !target || parts.length > 3 || (mode !== undefined && mode !== 'ro' && mode !== 'rw')) {
    report(
      item.line,
      `${quoted(item.value)} is not a mount.`,
      'Write `source:target` or `source:target:ro`; a path that holds `:` needs the map form.',
    )
    return undefined
  }
  const isPath = /^[/.~]/.test(source)
  const type = isPath ? 'bind' : 'volume'
  return finish({ type, source, target, readOnly: mode === 'ro', external: false }, item.line, base, report)
}

function fromMap(item: Located, base: PathBase, report: Report): MountPlan | undefined {
  const known = ['type', 'source', 'target', 'readOnly', 'read_only', 'external']
  const fields = readFields(item, 'A mount', known, report)
  const source = readText(fields.get('source'), report) ?? ''
  const target = readText(fields.get('target'), report)
  if (target === undefined) {
    report(item.line, 'A mount needs a `target`.')
    return undefined
  }
  const type =
    readChoice(fields.get('type'), ['bind', 'volume', 'tmpfs'], report) ??
    (/^[/.~]/.test(source) ? 'bind' : 'volume')
  const readOnly = readBoolean(fields.get('readOnly') ?? fields.get('read_only'), report) ?? false
  const external = readBoolean(fields.get('external'), report) ?? false
  if (external && type !== 'volume') {
    report(item.line, '`external` belongs to volumes.')
  }
  return finish({ type, source, target, readOnly, external }, item.line, base, report)
}

function finish(mount: MountPlan, line: number, base: PathBase, report: Report): MountPlan | undefined {
  const target = normalTarget(mount.target)
  if (target === undefined) {
    report(line, `The target ${quoted(mount.target)} must be an absolute path inside the bottle.`)
    return undefined
  }
  if (RESERVED.includes(target) || target.startsWith('/run/icebox/')) {
    report(line, `Nothing can be mounted at ${target}.`)
    return undefined
  }
  if (mount.type === 'tmpfs') {
    if (mount.source) report(line, 'A tmpfs mount has no `source`.')
    return { ...mount, source: '', target }
  }
  if (mount.type === 'bind') {
    if (!mount.source) report(line, 'A bind mount needs a `source`.')
    return { ...mount, source: resolve(base.folder, expandHome(mount.source, base.homeDir)), target }
  }
  if (!VOLUME_NAME.test(mount.source)) {
    report(
      line,
      `${quoted(mount.source)} can't be the name of a volume.`,
      'A path starts with `/`, `./` or `~/`.',
    )
  }
  return { ...mount, target }
}

function normalTarget(target: string): string | undefined {
  if (!target.startsWith('/') || /[\r\n]/.test(target)) return undefined
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : `/${parts.join('/')}`
}
