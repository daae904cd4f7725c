import { expect, test } from 'vitest'
import { createAccess } from '../../../src-main/ipc/access.ts'

const cookieOf = (header: string | null): string => (header ?? '').split(';')[0] ?? ''

test('a token works once and gives a strict cookie named after the server', () => {
  const access = createAccess('abc', 'key')
  const token = access.newToken()
  expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  const header = access.exchange(token)
  expect(header).toMatch(/^icebox-abc=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
  expect(access.exchange(token)).toBeNull()
  expect(access.isKnown(cookieOf(header))).toBe(true)
  expect(access.isKnown(`other=1; ${cookieOf(header)}; icebox-xyz=2`)).toBe(true)
})

test('a cookie of another server, a token as cookie, or none, is unknown', () => {
  const access = createAccess('abc', 'key')
  const other = createAccess('abc', 'key')
  const token = access.newToken()
  expect(access.isKnown(undefined)).toBe(false)
  expect(access.isKnown(`icebox-abc=${token}`)).toBe(false)
  expect(access.isKnown('icebox-abc=')).toBe(false)
  expect(access.isKnown(cookieOf(other.exchange(other.newToken())))).toBe(false)
})

test('links that nobody used end after sixteen newer ones; the admin key is whole or nothing', () => {
  const access = createAccess('abc', 'key')
  const first = access.newToken()
  const rest = Array.from({ length: 16 }, () => access.newToken())
  expect(access.exchange(first)).toBeNull()
  expect(access.exchange(rest[0] ?? '')).not.toBeNull()
  expect(access.isAdmin('Bearer key')).toBe(true)
  for (const wrong of [undefined, '', 'Bearer ', 'Bearer ke', 'Bearer key ', 'key'])
    expect(access.isAdmin(wrong)).toBe(false)
})
