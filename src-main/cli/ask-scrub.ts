import type { ScrubChoice, SecretFinding } from '../../src-preload/contract/artifacts.ts'
import type { ScrubOptions } from '../bottles/artifact-services.ts'
import { pick } from './ask.ts'
import type { Face } from './face.ts'
import type { ProgressLine } from './progress.ts'
import { plural } from './units.ts'
import { oneLine } from './width.ts'

const SHOWN = 20

/** How an operation learns what to do with secrets: by the flag, else by asking; away from a terminal not at all. */
export function scrubOptions(face: Face, scrub: string | undefined, progress: ProgressLine): ScrubOptions {
  return {
    scrub: scrub as ScrubChoice | undefined,
    ...(face.canAsk
      ? {
          onSecrets: async (findings: readonly SecretFinding[]) => {
            progress.clear()
            return askScrub(face, findings)
          },
        }
      : {}),
  }
}

async function askScrub(face: Face, findings: readonly SecretFinding[]): Promise<ScrubChoice | 'cancel'> {
  await face.stderr.write(`${findingsText(findings)}\n`)
  return (await pick(face, 'way to go on', [
    { value: 'strip', label: 'Strip them', hint: 'the rest goes out without them' },
    { value: 'keep', label: 'Keep them', hint: 'whoever has the artifact has the secrets' },
    { value: 'cancel', label: 'Cancel' },
  ])) as ScrubChoice | 'cancel'
}

/** What was found and where, a line each; never the secret. */
export function findingsText(findings: readonly SecretFinding[]): string {
  const lines = findings
    .slice(0, SHOWN)
    .map(({ where, name, rule, inBase }) =>
      oneLine(`${where} ${name}: ${rule}${inBase ? ' (in the base image)' : ''}`),
    )
  const more = findings.length > SHOWN ? [`and ${findings.length - SHOWN} more`] : []
  return [
    `${plural(findings.length, 'secret')} found:`,
    ...[...lines, ...more].map((line) => `  ${line}`),
  ].join('\n')
}
