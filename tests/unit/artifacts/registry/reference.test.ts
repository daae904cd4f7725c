import { describe, expect, test } from 'vitest'
import { parseChallenge } from '../../../../src-main/artifacts/registry/challenge.ts'
import {
  allowsPlainHttp,
  apiHost,
  parseReference,
  referenceText,
} from '../../../../src-main/artifacts/registry/reference.ts'

const DIGEST = `sha256:${'a1'.repeat(32)}`

describe('references', () => {
  test.each([
    ['web', 'docker.io/library/web:latest'],
    ['me/web:v1', 'docker.io/me/web:v1'],
    ['docker.io/web', 'docker.io/library/web:latest'],
    ['index.docker.io/me/web', 'docker.io/me/web:latest'],
    ['localhost/web', 'localhost/web:latest'],
    ['localhost:5000/a/b/c:T.1-x_y', 'localhost:5000/a/b/c:T.1-x_y'],
    ['[::1]:5000/web', '[::1]:5000/web:latest'],
    ['registry.example.com/a__b/c.d/e--f', 'registry.example.com/a__b/c.d/e--f:latest'],
    [`ghcr.io/me/web@${DIGEST}`, `ghcr.io/me/web@${DIGEST}`],
    [`ghcr.io/me/web:v1@${DIGEST}`, `ghcr.io/me/web:v1@${DIGEST}`],
    ['MyHost/web', 'MyHost/web:latest'],
  ])('%s → %s', (text, full) => {
    expect(referenceText(parseReference(text))).toBe(full)
    expect(referenceText(parseReference(full))).toBe(full)
  })
  test.each([
    '',
    'Web',
    'web:',
    'web:a/b',
    'a//b',
    '/web',
    'web/',
    'web@sha256:12',
    `web@md5:${'a1'.repeat(16)}`,
    'exa mple.com/web',
    'example.com:port/web',
    'example.com:999999/web',
    'user@example.com/web',
    'https://example.com/web',
    '../web',
    'example.com/../web',
    `example.com/${'a/'.repeat(130)}b`,
    `web:${'t'.repeat(129)}`,
    'example.com/web?x=1',
    'example.com/web#x',
    'a..b',
    'a___b',
  ])('%s is none', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
  test('Docker Hub answers elsewhere', () => {
    expect(apiHost('docker.io')).toBe('registry-1.docker.io')
    expect(apiHost('ghcr.io')).toBe('ghcr.io')
  })
  test.each([
    ['127.0.0.1:5000', true],
    ['127.9.8.7', true],
    ['localhost:1', true],
    ['[::1]:5000', true],
    ['127.0.0.1.example.com', false],
    ['localhost.example.com', false],
    ['10.0.0.1:5000', false],
    ['named.example.com:5000', true],
    ['named.example.com', false],
  ])('%s without TLS: %s', (host, allowed) => {
    const env = { ICEBOX_INSECURE_REGISTRIES: 'other, Named.example.com:5000 ' }
    expect(allowsPlainHttp(host, env)).toBe(allowed)
  })
})

describe('challenges', () => {
  test.each([
    ['Bearer realm="https://a/t",service="s"', { scheme: 'bearer', realm: 'https://a/t', service: 's' }],
    ['bearer service=s, realm=https://a/t', { scheme: 'bearer', realm: 'https://a/t', service: 's' }],
    [
      'Basic realm="x, y=\\"z\\"", Bearer realm="https://a/t",scope="repository:a:pull,push"',
      { scheme: 'bearer', realm: 'https://a/t', service: null },
    ],
    ['Basic realm="Registry"', { scheme: 'basic' }],
    ['Basic', { scheme: 'basic' }],
    ['Negotiate', null],
    ['Bearer service="without realm"', null],
    ['', null],
  ])('%s', (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge)
  })
})
