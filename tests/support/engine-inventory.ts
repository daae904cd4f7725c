import { runChild } from './child.ts'

/** Everything on an engine that a test could leave behind: kind and id → how a person would name it. */
export type EngineInventory = ReadonlyMap<string, string>

const QUERIES: readonly (readonly [string, readonly string[]])[] = [
  ['container', ['ps', '-a', '--no-trunc', '--format', '{{.ID}}\t{{.Names}} ({{.Image}}, {{.Status}})']],
  [
    'image',
    [
      'images',
      '-a',
      '--no-trunc',
      '--format',
      '{{.ID}} {{.Repository}}:{{.Tag}}\t{{.Repository}}:{{.Tag}} {{.ID}}',
    ],
  ],
  ['volume', ['volume', 'ls', '--format', '{{.Name}}\t{{.Name}} {{.Labels}}']],
  ['network', ['network', 'ls', '--no-trunc', '--format', '{{.ID}}\t{{.Name}}']],
]

/** Lists containers, images, volumes and networks of the engine that `env` points at. */
export async function takeInventory(env: NodeJS.ProcessEnv): Promise<EngineInventory> {
  const found = new Map<string, string>()
  for (const [kind, args] of QUERIES) {
    const { exitCode, output } = await runChild('docker', args, { env, timeout: 60_000 })
    if (exitCode !== 0) throw new Error(`docker ${args.join(' ')} failed: ${output.trim()}`)
    for (const line of output.split('\n')) {
      const [id, name] = line.split('\t')
      if (id && name) found.set(`${kind} ${id}`, `${kind} ${name}`)
    }
  }
  return found
}

export interface InventoryDifference {
  readonly appeared: readonly string[]
  readonly vanished: readonly string[]
}

/** What is there now and was not, and the other way round. Pure. */
export function compareInventories(before: EngineInventory, after: EngineInventory): InventoryDifference {
  return {
    appeared: [...after].filter(([key]) => !before.has(key)).map(([, name]) => name),
    vanished: [...before].filter(([key]) => !after.has(key)).map(([, name]) => name),
  }
}

/** An image without a name says nothing by itself: what it was made by tells whose it is. */
export async function describeImage(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const id = /sha256:[0-9a-f]{64}/.exec(name)?.[0]
  if (!id) return name
  const args = ['history', '--no-trunc', '--format', '{{.CreatedBy}} {{.Comment}}', id]
  const { output } = await runChild('docker', args, { env, timeout: 60_000 })
  return `${name}: ${output.trim().slice(0, 500)}`
}

/** True for names that only Icebox and its tests give: on a shared engine the rest may be anybody's. */
export function isOurs(name: string): boolean {
  return /bot-bottle|icebox/.test(name)
}
