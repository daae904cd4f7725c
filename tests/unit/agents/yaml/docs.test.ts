import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import { parseAgent } from '../../../../src-main/agents/parse-manifest.ts'
import { validAgent } from './yaml-agent.ts'

const page = await readFile(new URL('../../../../docs/agents.md', import.meta.url), 'utf8')
const blocks = (kind: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, 'gms'))].map((found) => found[1] ?? '')

test('the examples of the page are valid, and the Markdown one says what v3 says', async () => {
  const [first, second, third, ...more] = await Promise.all(blocks('yaml').map((text) => validAgent(text)))
  expect([first?.name, second?.name, third?.name, more.length]).toEqual([
    'reviewer',
    'builder-box',
    'worker',
    0,
  ])
  const [markdown = ''] = blocks('markdown')
  const twin = await parseAgent(markdown, {
    name: 'worker',
    file: '/r/agents/worker/worker.md',
    source: 'home',
    homeDir: '/home/me',
  })
  if (!twin.ok) throw new Error(JSON.stringify(twin.problems))
  expect({ ...twin.value.lifecycle, screenName: 'worker' }).toEqual(third?.lifecycle)
})

test('the page names every part of an agent’s life', () => {
  const snake = (word: string): string => word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  for (const point of Object.keys(DEFAULT_LIFECYCLE.hooks)) expect(page).toContain(`\`${point}\``)
  for (const key of Object.keys(DEFAULT_LIFECYCLE.autoFreeze)) expect(page).toContain(snake(key))
})
