import { expect, test } from 'vitest'
import { externalLink } from '../../../src-main/shell/external-links.ts'

test('the sites that the app links to are opened', () => {
  expect(externalLink('https://docs.docker.com/engine/install/')).toBe(
    'https://docs.docker.com/engine/install/',
  )
  expect(externalLink('https://github.com')).toBe('https://github.com/')
})

test.each([
  'http://github.com/',
  'file:///etc/passwd',
  'file://server/share/x.exe',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'data:text/html,x',
  'blob:https://github.com/x',
  'vscode://x',
  'ssh://github.com/',
  'mailto:x@github.com',
  'icebox://new',
  'icebox-app://bundle/index.html',
  'https://github.com.evil.test/',
  'https://evil.test/?github.com',
  'https://evil.test#github.com',
  'https://github.com@evil.test/',
  'https://user:pass@github.com/',
  'https://github.com:8443/',
  'https://GITHUB.com.',
  'https://xn--gthub-n4a.com/',
  '//github.com/',
  '/etc/passwd',
  '\\\\server\\share',
  'github.com',
  '',
  ' ',
  `https://github.com/${'a'.repeat(3000)}`,
  undefined,
  null,
  7,
  {},
  ['https://github.com/'],
])('%j is not opened', (address) => {
  expect(externalLink(address)).toBeNull()
})
