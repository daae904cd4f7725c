import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { newId } from '../lib/digest.ts'
import { DiskFullError } from '../lib/knobs.ts'
import { optionOf, type Parsed } from './arguments.ts'
import { askedPlatform, unreachable } from './create.ts'
import { type Engine, readStdin } from './engine.ts'
import { ContainerError, ExitWith } from './errors.ts'
import { loadImages, saveImages } from './image-archive.ts'
import {
  allImages,
  changeImages,
  findImage,
  sizeOf,
  sweepBlobs,
  tagImage,
  variantsOf,
  withContent,
} from './image-store.ts'
import { allContainers } from './record.ts'
import { normaliseReference, shortReference } from './references.ts'
import { printFormatted, printTable } from './show.ts'
import { isoDate, swiftJson } from './swift-json.ts'

function imageJson(engine: Engine, reference: string): object {
  const image = allImages(engine)[reference]
  if (!image) throw new ContainerError('notFound', `image not found: ${reference}`)
  return {
    id: image.descriptor.digest.replace('sha256:', ''),
    configuration: {
      creationDate: isoDate(image.creationDate),
      name: reference,
      descriptor: image.descriptor,
    },
    variants: variantsOf(engine, image).map((variant) => ({
      platform: variant.platform,
      digest: variant.descriptor.digest,
      size: sizeOf(variant),
      config: variant.config,
    })),
  }
}

export function imageList(engine: Engine, parsed: Parsed): void {
  engine.needService()
  const format = optionOf(parsed, 'format') ?? 'table'
  const names = Object.keys(allImages(engine)).toSorted()
  if (format !== 'table') {
    // One that goes away meanwhile is not there any more.
    const images = names.flatMap((name) => {
      try {
        return [imageJson(engine, name)]
      } catch (error) {
        if (error instanceof ContainerError) return []
        throw error
      }
    })
    printFormatted(engine, format, images)
    return
  }
  if (parsed.flags.has('quiet')) {
    for (const name of names) engine.print(shortReference(name))
    return
  }
  printTable(engine, [
    ['NAME', 'TAG', 'DIGEST'],
    ...names.map((name) => {
      const colon = name.lastIndexOf(':')
      const digest = allImages(engine)[name]?.descriptor.digest.slice(7, 19) ?? ''
      return [shortReference(name.slice(0, colon)), name.slice(colon + 1), digest]
    }),
  ])
}

export function imageInspect(engine: Engine, parsed: Parsed): void {
  engine.needService()
  const wanted = parsed.rest.map((reference) => ({ reference, image: findImage(engine, reference) }))
  const missing = wanted.filter(({ image }) => !image).map(({ reference }) => reference)
  if (missing.length > 0) throw new ContainerError('notFound', `image not found: ${missing.join(', ')}`)
  const found = [...new Set(wanted.flatMap(({ image }) => image?.reference ?? []))]
  engine.print(
    swiftJson(
      found.map((name) => imageJson(engine, name)),
      true,
    ),
  )
}

export function imageSave(engine: Engine, parsed: Parsed): void {
  engine.needService()
  const images = parsed.rest.map((reference) => {
    const image = findImage(engine, reference)
    if (!image) {
      engine.log(`error: image not found: ${reference}`)
      throw new ContainerError('notFound', 'failed to save image(s)')
    }
    return image
  })
  const platform = askedPlatform(parsed)
  const output = optionOf(parsed, 'output')
  const references = images.map(({ reference }) => reference)
  if (output !== undefined) {
    tellDiskFull(() => withContent(engine, () => saveImages(engine, images, platform, resolve(output))))
    for (const reference of references) engine.print(reference)
    return
  }
  const temp = engine.path('making', `${newId()}.saved`)
  try {
    tellDiskFull(() => withContent(engine, () => saveImages(engine, images, platform, temp)))
    engine.write(readFileSync(temp))
    for (const reference of references) {
      engine.log(reference)
      if (engine.gates.saveAppendsReference) engine.write(`${reference}\n`)
    }
  } finally {
    rmSync(temp, { force: true })
  }
}

function tellDiskFull<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof DiskFullError)
      throw new ContainerError('internalError', `failed to write to storage: ${error.message}`)
    throw error
  }
}

export function imageLoad(engine: Engine, parsed: Parsed): void {
  const input = optionOf(parsed, 'input')
  if (input !== undefined && !existsSync(resolve(input))) {
    engine.log(`error: file does not exist [path=${resolve(input)}]`)
    throw new ExitWith(1)
  }
  engine.needService()
  const temp = engine.path('making', `${newId()}.stdin`)
  try {
    if (input === undefined) {
      writeFileSync(temp, readStdin())
    }
    const archive = input === undefined ? temp : resolve(input)
    for (const reference of tellDiskFull(() =>
      withContent(engine, () => loadImages(engine, archive, parsed.flags.has('force'))),
    ))
      engine.print(reference)
  } finally {
    rmSync(temp, { force: true })
  }
}

export function imageTag(engine: Engine, parsed: Parsed): void {
  engine.needService()
  const [source = '', target = ''] = parsed.positional
  const image = findImage(engine, source)
  if (!image)
    throw new ContainerError('notFound', `image with reference ${normaliseReference(source)} not found`)
  tagImage(engine, normaliseReference(target), image.descriptor)
  engine.print(normaliseReference(target))
}

export function imageDelete(engine: Engine, parsed: Parsed): void {
  const isAll = parsed.flags.has('all')
  if (parsed.rest.length === 0 && !isAll)
    throw new ContainerError('invalidArgument', 'no image specified and --all not supplied')
  if (parsed.rest.length > 0 && isAll)
    throw new ContainerError('invalidArgument', 'explicitly supplied images conflict with the --all flag')
  engine.needService()
  const failed: string[] = []
  for (const reference of isAll ? Object.keys(allImages(engine)) : parsed.rest) {
    const image = allImages(engine)[reference] ? { reference } : findImage(engine, reference)
    if (!image) {
      if (!parsed.flags.has('force')) failed.push(reference)
      continue
    }
    changeImages(engine, (images) => delete images[image.reference])
    engine.print(shortReference(image.reference))
  }
  sweepBlobs(engine)
  if (failed.length > 0)
    throw new ContainerError(
      'internalError',
      `failed to delete one or more images: [${failed.map((one) => `"${one}"`).join(', ')}]`,
    )
}

export function imagePrune(engine: Engine, parsed: Parsed): void {
  engine.needService()
  if (parsed.flags.has('all')) {
    const used = new Set(allContainers(engine).map(({ image }) => image.reference))
    for (const reference of Object.keys(allImages(engine))) {
      if (used.has(reference)) continue
      changeImages(engine, (images) => delete images[reference])
      engine.print(`untagged ${shortReference(reference)}`)
    }
  }
  for (const digest of sweepBlobs(engine)) engine.print(`deleted ${digest}`)
}

export function imagePull(engine: Engine, parsed: Parsed): never {
  engine.needService()
  return unreachable(parsed.positional[0] ?? '')
}

export function imagePush(engine: Engine, parsed: Parsed): never {
  engine.needService()
  const reference = parsed.positional[0] ?? ''
  if (!findImage(engine, reference)) throw new ContainerError('notFound', `image not found: ${reference}`)
  return unreachable(reference)
}
