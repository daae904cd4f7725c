import { expect, test } from 'vitest'
import {
  imageUser,
  NO_ACCOUNTS,
  needsAccounts,
  readAccounts,
} from '../../../../src-main/backends/images/image-user.ts'
import { TAR_END, tarPadding, writeTarHeader } from '../../../../src-main/workers/tar/writer.ts'

const ACCOUNTS = {
  passwd: 'root:x:0:0::/root:/bin/sh\nme:x:1234:50::/home/me:/bin/sh\nbare:x:7:8:::\n',
  group: 'root:x:0:\nstaff:x:50:\n',
}

test.each([
  ['', { uid: 0, gid: 0, home: '/root' }],
  ['root', { uid: 0, gid: 0, home: '/root' }],
  ['me', { uid: 1234, gid: 50, home: '/home/me' }],
  ['1234', { uid: 1234, gid: 50, home: '/home/me' }],
  ['1234:7', { uid: 1234, gid: 7, home: '/home/me' }],
  ['me:staff', { uid: 1234, gid: 50, home: '/home/me' }],
  ['9999', { uid: 9999, gid: 0, home: null }],
  ['bare', { uid: 7, gid: 8, home: null }],
  ['nobody-knows', null],
  ['me:nobody-knows', null],
])('the user %j', (User, found) => {
  expect(imageUser({ User }, ACCOUNTS)).toEqual(found)
})

test('a variable says more than the accounts, a definition more than the image', () => {
  expect(imageUser({ User: 'me', Env: ['A=1', 'HOME=/h'] }, ACCOUNTS)?.home).toBe('/h')
  expect(imageUser({ User: 'me' }, ACCOUNTS, 'root')).toMatchObject({ uid: 0 })
})

test('accounts are read only where the config does not tell', () => {
  expect(needsAccounts({}, null)).toBe(false)
  expect(needsAccounts({ User: 'me' }, null)).toBe(true)
  expect(needsAccounts({ User: 'me' }, 'root')).toBe(false)
  expect(needsAccounts({ User: '5:5', Env: ['HOME=/h'] }, null)).toBe(false)
  expect(imageUser({}, NO_ACCOUNTS)).toEqual({ uid: 0, gid: 0, home: '/root' })
})

test('the topmost layer that has them counts', async () => {
  const layer = (files: Readonly<Record<string, string>>) => {
    const bytes = Buffer.concat([
      ...Object.entries(files).flatMap(([path, text]) => [
        writeTarHeader({ path, type: 'file', size: text.length }),
        Buffer.from(text),
        tarPadding(text.length),
      ]),
      TAR_END,
    ])
    return {
      diffId: '',
      bytes: bytes.length,
      open: async function* () {
        yield bytes
      },
    }
  }
  const layers = [
    layer({ 'etc/passwd': 'old', './etc/group': 'group' }),
    layer({ 'etc/passwd': 'new' }),
    layer({ 'etc/passwd-': 'none' }),
  ]
  expect(await readAccounts(layers, new AbortController().signal)).toEqual({ passwd: 'new', group: 'group' })
})
