import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDeepLink } from '../../../src-main/shell/deep-links.ts'
import { SECTIONS } from '../../../src-renderer/state/view.ts'

test('a link shows a bottle, a tab, a section, the window or the New bottle sheet', () => {
  const page = (command: object) => ({ do: 'page', command })
  expect(parseDeepLink('icebox://bottle/web-1')).toEqual(
    page({ id: 'show-bottle', slug: 'web-1', tab: 'overview' }),
  )
  expect(parseDeepLink('icebox://bottle/web-1/logs')).toEqual(
    page({ id: 'show-bottle', slug: 'web-1', tab: 'logs' }),
  )
  expect(parseDeepLink('icebox://section/trash/')).toEqual(page({ id: 'section', section: 'trash' }))
  expect(parseDeepLink('icebox://new')).toEqual(page({ id: 'new-bottle' }))
  expect(parseDeepLink('icebox://open/')).toEqual({ do: 'show-window' })
})

test('every section of the window has its link', () => {
  for (const section of SECTIONS) expect(parseDeepLink(`icebox://section/${section}`)).not.toBeNull()
})

test.each([
  '',
  'icebox:',
  'icebox://',
  'icebox:new',
  'icebox:/new',
  'icebox:///new',
  'ICEBOX://new',
  ' icebox://new',
  'icebox://new\n',
  'icebox://new ',
  'icebox://new?agent=x',
  'icebox://new#x',
  'icebox://new/web-1',
  'icebox://open/web-1',
  'icebox://user@new',
  'icebox://new:80',
  'icebox://freeze/web-1',
  'icebox://resume/web-1',
  'icebox://stop/web-1',
  'icebox://destroy/web-1',
  'icebox://import/web-1',
  'icebox://quit',
  'icebox://set/theme',
  'icebox://bottle',
  'icebox://bottle/',
  'icebox://bottle/-web',
  'icebox://bottle/web--1',
  'icebox://bottle/Web',
  'icebox://bottle/web_1',
  'icebox://bottle/../section/trash',
  'icebox://bottle/%2e%2e',
  'icebox://bottle/web-1/shell',
  'icebox://bottle/web-1/logs/x',
  'icebox://bottle/web-1//logs',
  `icebox://bottle/${'a'.repeat(201)}`,
  `icebox://bottle/${'a'.repeat(5000)}`,
  'icebox://section',
  'icebox://section/bottles/logs',
  'icebox://section/constructor',
  'icebox-app://bundle/index.html',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'https://github.com/',
])('%j asks for nothing', (link) => {
  expect(parseDeepLink(link)).toBeNull()
})

test.each([undefined, null, 7, {}, ['icebox://new'], { toString: () => 'icebox://new' }])(
  '%j is no link',
  (link) => {
    expect(parseDeepLink(link)).toBeNull()
  },
)

test('whatever a link holds, it never changes anything', () => {
  const part = fc.oneof(
    fc.constantFrom(
      'bottle',
      'section',
      'new',
      'open',
      'freeze',
      'destroy',
      'set',
      'quit',
      'web-1',
      'logs',
      '..',
      '%2f',
    ),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const command = parseDeepLink(`icebox://${parts.join('/')}`)
      const harmless = ['new-bottle', 'section', 'show-bottle']
      if (command?.do === 'page') expect(harmless).toContain(command.command.id)
      else expect(command === null || command.do === 'show-window').toBe(true)
    }),
  )
})
