import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { newId } from '../lib/digest.ts'
import { mustRun } from '../lib/guest.ts'
import { planPack } from '../lib/root-file-system.ts'
import { optionOf, optionsOf, type Parsed } from './arguments.ts'
import { type BuildInput, buildStages } from './build-stages.ts'
import { askedPlatform } from './create.ts'
import { parseDockerfile } from './dockerfile.ts'
import type { Engine } from './engine.ts'
import { ContainerError, UsageError } from './errors.ts'
import {
  CONFIG_TYPE,
  type Descriptor,
  INDEX_TYPE,
  LAYER_TYPE,
  MACHINE_PLATFORM,
  MANIFEST_TYPE,
  type Platform,
  putBlob,
  putJson,
  tagImage,
  withContent,
} from './image-store.ts'
import { parseLabels } from './parse-values.ts'
import { normaliseReference } from './references.ts'

const LIMIT = 16 * 1024

/** Builds an image of one flat layer from a Dockerfile. */
export async function build(engine: Engine, parsed: Parsed): Promise<void> {
  if (parsed.rest.length > 1) throw new UsageError(`Unexpected argument '${parsed.rest[1]}'`, 'build')
  const context = resolve(parsed.rest[0] ?? '.')
  if (statSync(context, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`context dir does not exist ${context}`, 'build')
  const file =
    optionOf(parsed, 'file') ??
    ['Dockerfile', 'Containerfile'].map((name) => join(context, name)).find(existsSync)
  if (file === undefined || (file !== '-' && !existsSync(resolve(file))))
    throw new UsageError(`Dockerfile does not exist at path: ${file ?? join(context, 'Dockerfile')}`, 'build')
  const output = optionOf(parsed, 'output')
  if (output !== undefined && output !== 'type=oci')
    throw new ContainerError('unsupported', `output ${output} is not something that the double can make`)
  const source = readFileSync(file === '-' ? 0 : resolve(file), 'utf8')
  engine.needService()
  if (Buffer.byteLength(source) >= LIMIT)
    throw new ContainerError(
      'internalError',
      'build failed',
      new ContainerError('unknown', 'Dockerfile is too large: transport became inactive'),
    )
  const platform = askedPlatform(parsed) ?? MACHINE_PLATFORM
  const args = optionsOf(parsed, 'build-arg').map((line): [string, string] => {
    const at = line.indexOf('=')
    return at < 0 ? [line, process.env[line] ?? ''] : [line.slice(0, at), line.slice(at + 1)]
  })
  const input: BuildInput = {
    context,
    platform,
    args: new Map(args),
    target: optionOf(parsed, 'target') ?? null,
  }
  const work = engine.path('making', newId())
  try {
    const { root, config } = await buildStages(engine, parseDockerfile(source), input, work)
    const labels = { ...config.Labels, ...parseLabels(optionsOf(parsed, 'label')) }
    // What a build that lost its instructions would leave.
    const kept = engine.strikes.has('hollow')
      ? {}
      : { ...config, ...(Object.keys(labels).length > 0 ? { Labels: labels } : {}) }
    const tags = optionsOf(parsed, 'tag').length > 0 ? optionsOf(parsed, 'tag') : [newId()]
    withContent(engine, () => {
      const index = keep(engine, root, kept, platform)
      for (const tag of tags) tagImage(engine, normaliseReference(tag), index)
    })
    for (const tag of tags) engine.print(normaliseReference(tag))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Keeps a file system and its config as an image of one layer. */
function keep(engine: Engine, root: string, config: object, platform: Platform): Descriptor {
  const { args, list } = planPack(root, { absolute: false, keepSpecials: true })
  const layer = putBlob(engine, mustRun('tar', args, list), LAYER_TYPE)
  const created = new Date().toISOString()
  const rootfs = { type: 'layers', diff_ids: [layer.digest] }
  const history = [{ created, created_by: 'buildkit' }]
  const whole = putJson(engine, { ...platform, created, config, rootfs, history }, CONFIG_TYPE)
  const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config: whole, layers: [layer] }
  const manifests = [{ ...putJson(engine, manifest, MANIFEST_TYPE), platform }]
  return putJson(engine, { schemaVersion: 2, mediaType: INDEX_TYPE, manifests }, INDEX_TYPE)
}
