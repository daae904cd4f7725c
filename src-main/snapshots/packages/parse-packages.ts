import type { PackageManager } from './package-files.ts'

/** Name → version. */
export type Packages = ReadonlyMap<string, string>

/** Reads one package list; what can't be understood is left out, since a bottle may hold anything. Pure. */
export function parsePackages(manager: PackageManager, path: string, text: string): Packages {
  switch (manager) {
    case 'dpkg':
      return parseDpkg(text)
    case 'apk':
      return parseApk(text)
    case 'pip':
      return parsePip(text)
    case 'npm':
      return path.endsWith('/.package-lock.json') || path === 'node_modules/.package-lock.json'
        ? parseNpmLock(text)
        : parseNpmPackage(text)
  }
}

function* stanzas(text: string): Iterable<ReadonlyMap<string, string>> {
  for (const block of text.split(/\n[ \t\r]*\n/)) {
    const fields = new Map<string, string>()
    for (const line of block.split('\n')) {
      const match = /^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*?)\r?$/.exec(line)
      if (match?.[1] && !fields.has(match[1])) fields.set(match[1], match[2] ?? '')
    }
    yield fields
  }
}

/** Only what is installed: a removed package whose settings stay is still listed. */
function parseDpkg(text: string): Packages {
  const found = new Map<string, string>()
  for (const fields of stanzas(text)) {
    const [name, version, status] = [fields.get('Package'), fields.get('Version'), fields.get('Status')]
    // Lists of distroless images have no status.
    if (!name || !version || (status !== undefined && !/ installed$/.test(status))) continue
    const architecture = fields.get('Architecture')
    const isForeign = found.has(name) && found.get(name) !== version
    found.set(isForeign && architecture ? `${name}:${architecture}` : name, version)
  }
  return found
}

function parseApk(text: string): Packages {
  const found = new Map<string, string>()
  for (const block of text.split(/\n\n+/)) {
    const name = /^P:(.+)$/m.exec(block)?.[1]
    const version = /^V:(.+)$/m.exec(block)?.[1]
    if (name && version) found.set(name.trim(), version.trim())
  }
  return found
}

function parsePip(text: string): Packages {
  const head = text.split(/\r?\n\r?\n/, 1)[0] ?? ''
  const name = /^Name:[ \t]*(.+?)\r?$/im.exec(head)?.[1]
  const version = /^Version:[ \t]*(.+?)\r?$/im.exec(head)?.[1]
  return name && version ? new Map([[name, version]]) : new Map()
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** A package that is installed in several versions has each of them, sorted. */
function parseNpmLock(text: string): Packages {
  const { packages } = parseObject(text)
  const versions = new Map<string, Set<string>>()
  for (const [path, value] of Object.entries((packages as Record<string, unknown>) ?? {})) {
    const at = path.lastIndexOf('node_modules/')
    const version = (value as { version?: unknown } | null)?.version
    if (at < 0 || typeof version !== 'string') continue
    const name = path.slice(at + 'node_modules/'.length)
    versions.set(name, (versions.get(name) ?? new Set()).add(version))
  }
  return new Map([...versions].map(([name, each]) => [name, [...each].sort().join(', ')]))
}

function parseNpmPackage(text: string): Packages {
  const { name, version } = parseObject(text)
  return typeof name === 'string' && typeof version === 'string' && name
    ? new Map([[name, version]])
    : new Map()
}
