import { expect, test } from 'vitest'
import { secretsOfTemplates } from '../../../../src-main/agents/yaml/env-templates.ts'

const ref = (name: string) => `$\{${name}}`

test('a filled template is a secret, and so is each variable that it takes in', () => {
  const templates = { URL: `postgres://u:${ref('PW')}@${ref('DB')}`, COPY: ref('PW') }
  expect(secretsOfTemplates(templates, { PW: 'canary-1', DB: 'host-2', OTHER: 'x' })).toEqual({
    found: [
      { name: 'URL', value: 'postgres://u:canary-1@host-2' },
      { name: 'PW', value: 'canary-1' },
      { name: 'DB', value: 'host-2' },
      { name: 'COPY', value: 'canary-1' },
    ],
    missing: [],
  })
})

test('one whose value is gone is named, with what is left of it', () => {
  const templates = { URL: `${ref('PW')}@${ref('GONE')}`, ODD: ref('constructor') }
  expect(secretsOfTemplates(templates, { PW: 'canary-1' })).toEqual({
    found: [{ name: 'PW', value: 'canary-1' }],
    missing: ['URL', 'ODD'],
  })
})

test('where and as whom a program runs is no secret, alone or beside one', () => {
  const env = { HOME: '/home/me', USER: 'me', TOKEN: 'canary-1' }
  const templates = { DATA: `${ref('HOME')}/data/${ref('USER')}`, KEY: `${ref('HOME')}:${ref('TOKEN')}` }
  expect(secretsOfTemplates(templates, env).found).toEqual([
    { name: 'KEY', value: '/home/me:canary-1' },
    { name: 'TOKEN', value: 'canary-1' },
  ])
})
