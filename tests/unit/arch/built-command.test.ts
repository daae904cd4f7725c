import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

test('the built command runs by its path and as the bin that npx finds', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  for (const file of ['out/main/cli.js', 'node_modules/.bin/icebox']) {
    const { stdout } = await promisify(execFile)(join(root, file), ['--version'], { timeout: 20_000 })
    expect(stdout.trim()).toBe(version)
  }
})
