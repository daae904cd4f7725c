import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanPath, readStatic } from '../../../src-main/ipc/static-files.ts'

let top = ''
let root = ''
beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'icebox-static-'))
  root = join(top, 'renderer')
  await mkdir(join(root, 'assets'), { recursive: true })
  await mkdir(join(top, 'renderer-twin'))
  await writeFile(join(root, 'index.html'), 'index')
  await writeFile(join(root, 'assets', 'main-Ab3dEf9h.js'), 'script')
  await writeFile(join(root, '.env.json'), '{}')
  await writeFile(join(top, 'secret.json'), 'secret')
  await writeFile(join(top, 'renderer-twin', 'secret.json'), 'secret')
  await symlink(join(top, 'secret.json'), join(root, 'out.json'))
  await symlink(top, join(root, 'up'))
})
afterAll(() => rm(top, { recursive: true, force: true }))

test('serves the index and hashed assets', async () => {
  expect(await readStatic(root, '/')).toMatchObject({ type: 'text/html; charset=utf-8', isImmutable: false })
  const script = await readStatic(root, '/assets/main-Ab3dEf9h.js')
  expect(script).toMatchObject({ type: 'text/javascript; charset=utf-8', isImmutable: true })
  expect(String(script?.body)).toBe('script')
})

test.each([
  '/../secret.json',
  '/%2e%2e/secret.json',
  '/..%2fsecret.json',
  '/%252e%252e/secret.json',
  '/assets/../../secret.json',
  '/..\\secret.json',
  '/%5c..%5csecret.json',
  '/../renderer-twin/secret.json',
  '//etc/passwd',
  '/%2fetc/passwd.json',
  '/out.json',
  '/up/secret.json',
  '/.env.json',
  '/assets',
  '/assets/',
  '/index.html/x.js',
  '/index.html%00.js',
  '/%ff',
  '/none.js',
  `/${'a'.repeat(5000)}.js`,
])('finds nothing at %.40s', async (path) => {
  expect(await readStatic(root, path)).toBeNull()
})

test('a clean path never leads up and holds nothing hidden', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('..', '.', '/', '\\', '%2e', '%2f', '%5c', 'a', '.js', '%00', '%')),
      (parts) => {
        const clean = cleanPath(`/${parts.join('')}`)
        if (clean !== null) expect(clean).toMatch(/^(\/[^./\\%][^/\\%]*)+$/)
      },
    ),
  )
})
