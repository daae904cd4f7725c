import { expect, it } from 'vitest'
import { callError, START_FIX } from '../../../../src-main/backends/macos-container/errors.ts'

const CASES: readonly (readonly [string, string, string])[] = [
  [
    'list',
    'Error: interrupted: "XPC connection error: Connection invalid"\nEnsure container system service has been started with `container system start`.',
    'engine-down',
  ],
  [
    'list',
    'Error: internalError: "failed to list containers" (cause: "interrupted: "XPC connection error: Connection invalid"")',
    'engine-down',
  ],
  [
    'commit',
    'Error: Plugins are unavailable. Start the container system services and retry:\n\n    container system start\n',
    'engine-down',
  ],
  ['commit', "Error: Plugin 'container-commit' not found.", 'unsupported'],
  ['inspect', 'Error: container not found: bot-bottle-a', 'not-found'],
  ['start', 'Error: get failed: container bot-bottle-a not found', 'not-found'],
  [
    'stop',
    'Error: internalError: "failed to stop container" (cause: "notFound: "container with ID a not found"")',
    'not-found',
  ],
  ['image inspect', 'Error: image not found: box:1', 'image-missing'],
  ['image save', 'Error: failed to save image(s)', 'image-missing'],
  [
    'image save',
    'Error: image box:1 has no content for platform linux/arm64; available platforms: x',
    'image-missing',
  ],
  ['create', 'Error: container already exists: bot-bottle-a', 'exists'],
  ['run', 'Error: container with id bot-bottle-a already exists', 'exists'],
  ['create', 'Error: hostname(s) already exist: ["bot-bottle-a"]', 'exists'],
  ['export', 'Error: failed to export container (cause: "invalidState: "container is not stopped"")', 'busy'],
  [
    'delete',
    'Error: internalError: "failed to delete container" (cause: "invalidState: "container a is running and can not be deleted"")',
    'busy',
  ],
  ['export', 'Error: write failed: No space left on device', 'disk-full'],
  ['image load', 'Error: failed to write to storage: ENOSPC', 'disk-full'],
  ['start', "Error: mount source path '/x' does not exist", 'engine-failed'],
]

it.each(CASES)('%s: %s', (verb, stderr, code) => {
  expect(callError({ verb, exitCode: 1, stderr }).code).toBe(code)
})

it('offers the command that starts the services without a question', () => {
  const failed = callError({ verb: 'list', exitCode: 1, stderr: 'XPC connection error' })
  expect(failed.message).toContain(START_FIX)
  expect(START_FIX).toContain('--enable-kernel-install')
})

it('keeps what the program said, but not more than its end', () => {
  const stderr = `${'x'.repeat(5000)} the end`
  const failed = callError({ verb: 'start', exitCode: 1, stderr })
  expect(failed.detail).toHaveLength(2000)
  expect(failed.detail).toMatch(/the end$/)
})

it('tells a refused command line from a failure', () => {
  expect(callError({ verb: 'run', exitCode: 64, stderr: "Error: Unknown option '--x'" }).message).toMatch(
    /does not understand/,
  )
})
