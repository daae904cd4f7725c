import { mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { isBuildStale } from '../../../src-main/system/stale-build.ts'
import { tempFolder } from '../../support/test-root.ts'

const OUTPUTS = ['out/main/cli.js', 'out/main/index.js', 'out/renderer/index.html']
let root: string

/** Sets a path's time, in seconds since 1970. */
const at = (seconds: number, ...paths: readonly string[]) =>
  Promise.all(paths.map((path) => utimes(join(root, path), seconds, seconds)))

beforeEach(async () => {
  root = await tempFolder()
  for (const path of [...OUTPUTS, 'src-main/a/one.ts', 'src-main/a/two.ts', 'package-lock.json']) {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), '')
  }
  await at(1000, 'src-main/a/one.ts', 'src-main/a/two.ts', 'src-main/a', 'src-main', 'package-lock.json')
  await at(2000, ...OUTPUTS)
})

describe('a build', () => {
  test('that is newer than all sources is not made again', async () => {
    expect(await isBuildStale(root)).toBe(false)
  })
  test.each(['src-main/a/one.ts', 'package-lock.json'])('is stale once %s changed', async (path) => {
    await at(3000, path)
    expect(await isBuildStale(root)).toBe(true)
  })
  test('is stale once a source was removed', async () => {
    await rm(join(root, 'src-main/a/two.ts'))
    expect(await isBuildStale(root)).toBe(true)
  })
  test('is stale while an output is missing or as old as before', async () => {
    await at(500, OUTPUTS[0] ?? '')
    expect(await isBuildStale(root)).toBe(true)
    await rm(join(root, OUTPUTS[1] ?? ''))
    expect(await isBuildStale(root)).toBe(true)
  })
})
