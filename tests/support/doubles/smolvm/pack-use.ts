import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Context, say } from './context.ts'
import { agentFailure, configFailure } from './failure.ts'
import { readPack } from './pack-file.ts'
import { runEphemeral } from './run.ts'

/** `pack run`: a machine that ends with its command. Returns the exit code. @throws Failure */
export async function runPack(context: Context): Promise<number> {
  const sidecar = context.call.one('sidecar')
  if (sidecar === undefined) throw configFailure('pack run', 'no sidecar given; use --sidecar PATH')
  if (!existsSync(sidecar)) throw configFailure('pack run', `file not found: ${sidecar}`)
  if (context.call.has('info')) {
    say(context, JSON.stringify(readPack(resolve(sidecar)).manifest, null, 2))
    return 0
  }
  return runEphemeral(context)
}

/** `pack inspect`: the manifest of a file. There is no registry to ask. @throws Failure */
export function inspectPack(context: Context): void {
  const reference = context.call.positional('REFERENCE') ?? ''
  if (!existsSync(reference)) throw agentFailure('inspect', `${reference}: no such host`)
  const { manifest, footer } = readPack(resolve(reference))
  if (context.call.has('json')) {
    say(context, JSON.stringify(manifest, null, 2))
    return
  }
  say(context, `Image: ${manifest.image}`)
  say(context, `Platform: ${manifest.platform}`)
  say(context, `Size: ${footer.assetsSize}`)
}
