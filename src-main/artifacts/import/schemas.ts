import { z } from 'zod'
import { LAYERS_MAX } from './limits.ts'

export const DIGEST = /^sha256:[0-9a-f]{64}$/

const Digest = z.string().regex(DIGEST, 'is no sha256 digest')
const Text = z.string().max(65_536)
const Annotations = z.record(z.string().max(1000), Text)
/** Other tools write null where they mean nothing. */
const Texts = z.array(Text).max(10_000).nullish()
const Keys = z.record(Text, z.unknown()).nullish()

const Platform = z.looseObject({
  os: z.string().max(100),
  architecture: z.string().max(100),
  variant: z.string().max(100).nullish(),
})

export const DescriptorSchema = z.looseObject({
  mediaType: z.string().max(255),
  digest: Digest,
  size: z.number().int().nonnegative(),
  urls: z.array(Text).nullish(),
  annotations: Annotations.nullish(),
  platform: Platform.nullish(),
  artifactType: z.string().max(255).nullish(),
})
export type ParsedDescriptor = z.infer<typeof DescriptorSchema>

const SchemaVersion = z.literal(2, 'is not 2')

export const LayoutSchema = z.looseObject({ imageLayoutVersion: z.literal('1.0.0', 'is not 1.0.0') })

export const IndexSchema = z.looseObject({
  schemaVersion: SchemaVersion,
  mediaType: z.string().max(255).nullish(),
  manifests: z.array(DescriptorSchema).max(10_000),
})

export const ManifestSchema = z.looseObject({
  schemaVersion: SchemaVersion,
  mediaType: z.string().max(255).nullish(),
  artifactType: z.string().max(255).nullish(),
  config: DescriptorSchema,
  layers: z.array(DescriptorSchema).max(LAYERS_MAX),
  subject: DescriptorSchema.nullish(),
  annotations: Annotations.nullish(),
})
export type ParsedManifest = z.infer<typeof ManifestSchema>

export const ConfigSchema = z.looseObject({
  os: z.string().max(100),
  architecture: z.string().max(100),
  variant: z.string().max(100).nullish(),
  created: z.string().max(100).nullish(),
  config: z
    .looseObject({
      User: Text.nullish(),
      Env: Texts,
      Entrypoint: Texts,
      Cmd: Texts,
      WorkingDir: Text.nullish(),
      ExposedPorts: Keys,
      Volumes: Keys,
      Labels: z.record(Text, z.string().max(4_000_000)).nullish(),
      StopSignal: Text.nullish(),
      Healthcheck: z.record(z.string(), z.unknown()).nullish(),
      Shell: Texts,
    })
    .nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(Digest).max(LAYERS_MAX) }),
})
export type ParsedConfig = z.infer<typeof ConfigSchema>

/** Docker's `manifest.json`. */
export const DockerListSchema = z
  .array(
    z.looseObject({
      Config: z.string().max(1000),
      RepoTags: z.array(Text).nullish(),
      Layers: z.array(z.string().max(1000)).max(LAYERS_MAX),
    }),
  )
  .max(10_000)
export type DockerList = z.infer<typeof DockerListSchema>
