import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { makeBusyboxTree } from '../lib/busybox-tree.ts'
import { mustRun } from '../lib/guest.ts'
import { unpackLayers } from '../lib/root-file-system.ts'
import { readJson, withLock, writeJson } from '../lib/state.ts'
import { agentFailure, configFailure } from './failure.ts'
import type { ImageConfig, MachineSource } from './machines.ts'
import type { Features } from './versions.ts'

interface SavedConfig {
  readonly config?: {
    readonly Env?: readonly string[] | null
    readonly Entrypoint?: readonly string[] | null
    readonly Cmd?: readonly string[] | null
    readonly WorkingDir?: string
    readonly User?: string
  }
}

const NO_CONFIG: ImageConfig = { env: [], entrypoint: [], cmd: [], workdir: '', user: '' }

/**
 * What `--image` means. Archives are staged by their content at once; a registry's image is only pulled at start.
 * @throws Failure
 */
export function imageSource(
  dir: string,
  image: string,
  features: Features,
  readStdin: () => Buffer,
): { readonly source: MachineSource; readonly told: string } {
  if (image === '') throw configFailure('--image', 'image reference must not be empty')
  const looksLocal = /^(\/|\.\/|\.\.\/)/.test(image) || /\.(tar|tar\.gz|tgz)$/.test(image) || image === '-'
  if (!looksLocal || !features.localImages)
    return { source: { kind: 'registry', reference: image, digest: null }, told: image }
  if (image === '-') return stage(dir, readStdin())
  const path = resolve(image)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat)
    throw configFailure('--image', `cannot read archive ${image}: No such file or directory (os error 2)`)
  if (stat.isDirectory()) return { source: { kind: 'folder', path }, told: `local-dir:${path}` }
  if (!stat.isFile()) throw configFailure('--image', `${image} is not a file`)
  const content = readFileSync(path)
  if (/^\s*(#.*\n\s*)*(FROM|ARG)\s/i.test(content.toString('latin1', 0, 4096)))
    throw configFailure('--image', `${image} looks like a Dockerfile, not an image.`)
  return stage(dir, content)
}

function stage(dir: string, content: Buffer): { source: MachineSource; told: string } {
  const hash = createHash('sha256').update(content).digest('hex')
  const folder = join(dir, 'archives', hash)
  const path = join(folder, 'archive.tar')
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const temp = `${path}.${process.pid}`
    // A copy, never a link: what happens to the caller's file later must not reach the machine.
    writeFileSync(temp, content)
    renameSync(temp, path)
  }
  return { source: { kind: 'archive', path }, told: `local:${hash}` }
}

/** Makes the root file system of an image that was saved by docker or podman. @throws Failure */
export function unpackArchive(archive: string, root: string): ImageConfig {
  const temp = mkdtempSync(join(dirname(root), 'image-'))
  try {
    try {
      mustRun('tar', ['-x', '-f', archive, '-C', temp, '--no-same-owner'])
    } catch (error) {
      throw agentFailure('start', `extract image: ${(error as Error).message}`)
    }
    const manifest = readJson<readonly { readonly Config: string; readonly Layers: readonly string[] }[]>(
      join(temp, 'manifest.json'),
      [],
    )[0]
    if (!manifest) throw agentFailure('start', 'extract image: file manifest.json not found in tar')
    rmSync(root, { recursive: true, force: true })
    unpackLayers(
      root,
      manifest.Layers.map((layer) => join(temp, layer)),
    )
    const { config } = readJson<SavedConfig>(join(temp, manifest.Config), {})
    return {
      env: config?.Env ?? [],
      entrypoint: config?.Entrypoint ?? [],
      cmd: config?.Cmd ?? [],
      workdir: config?.WorkingDir ?? '',
      user: config?.User ?? '',
    }
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

const registryIndex = (dir: string): string => join(dir, 'registry', 'index.json')

/**
 * Gives the double's registry an image, from an archive that docker saved. There is no other registry: the double
 * never has a network. An existing reference moves to the new image; the old one is still found by its digest.
 * @returns the digest under which `name@sha256:…` finds it
 */
export function addRegistryImage(dir: string, reference: string, archive: string): string {
  mkdirSync(join(dir, 'registry'), { recursive: true })
  const digest = `sha256:${createHash('sha256').update(readFileSync(archive)).digest('hex')}`
  const path = join(dir, 'registry', `${digest.slice(7)}.tar`)
  if (!existsSync(path)) {
    try {
      linkSync(archive, path)
    } catch {
      copyFileSync(archive, path)
    }
  }
  withLock(`${registryIndex(dir)}.lock`, () => {
    const index = readJson<Record<string, string>>(registryIndex(dir), {})
    writeJson(registryIndex(dir), { ...index, [reference]: digest })
  })
  return digest
}

/** Takes a reference out of the registry, as when it was deleted there. */
export function removeRegistryImage(dir: string, reference: string): void {
  withLock(`${registryIndex(dir)}.lock`, () => {
    const { [reference]: _, ...rest } = readJson<Record<string, string>>(registryIndex(dir), {})
    writeJson(registryIndex(dir), rest)
  })
}

/** What the registry has under a reference now. @throws Failure when it has nothing: there is no way out */
export function pull(dir: string, reference: string): { readonly digest: string; readonly archive: string } {
  const index = readJson<Record<string, string>>(registryIndex(dir), {})
  const pinned = /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1]
  const digest = pinned ?? index[reference]
  const archive = digest === undefined ? undefined : join(dir, 'registry', `${digest.slice(7)}.tar`)
  if (digest === undefined || archive === undefined || !existsSync(archive)) {
    const host = /^([^/]+\.[^/]+|localhost(:\d+)?)\//.exec(reference)?.[1] ?? 'index.docker.io'
    throw agentFailure(
      'pull image',
      `crane manifest failed: Error: fetching manifest ${reference}: Get "https://${host}/v2/": dial tcp: lookup ${host}: no such host`,
    )
  }
  return { digest, archive }
}

/** The small system that a machine without an image runs: this machine's static busybox. */
export function agentRoot(dir: string): string {
  const root = join(dir, 'agent-rootfs')
  if (existsSync(root)) return root
  withLock(`${root}.lock`, () => {
    if (existsSync(root)) return
    const temp = `${root}.tmp`
    rmSync(temp, { recursive: true, force: true })
    makeBusyboxTree(temp)
    renameSync(temp, root)
  })
  return root
}

export const emptyConfig = (): ImageConfig => NO_CONFIG
