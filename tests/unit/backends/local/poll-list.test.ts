import { expect, it } from 'vitest'
import type { RuntimeFact } from '../../../../src-main/backends/backend.ts'
import { changesBetween } from '../../../../src-main/backends/local/poll-list.ts'

const fact = (id: string, state: RuntimeFact['state'], runId = 'run1'): RuntimeFact => ({
  backend: 'macos-container',
  id,
  name: id,
  root: 'root',
  slug: id,
  runId,
  state,
  exitCode: null,
  image: '',
  createdAt: '',
  role: 'agent',
})
const kinds = (before: RuntimeFact[], after: RuntimeFact[]) =>
  changesBetween('macos-container', before, after).map(({ id, kind }) => `${id} ${kind}`)

it('tells what differs, and nothing else', () => {
  expect(kinds([fact('a', 'running')], [fact('a', 'running')])).toEqual([])
  expect(kinds([fact('a', 'running')], [fact('a', 'exited')])).toEqual(['a exited'])
  expect(kinds([fact('a', 'exited')], [fact('a', 'running')])).toEqual(['a started'])
  expect(kinds([], [fact('a', 'running'), fact('b', 'created')])).toEqual(['a started', 'b created'])
  expect(kinds([fact('a', 'running')], [])).toEqual(['a removed'])
})

it('takes a name that came back with another run for another container', () => {
  expect(kinds([fact('a', 'running', 'run1')], [fact('a', 'running', 'run2')])).toEqual([
    'a removed',
    'a started',
  ])
})
