import { expect, test } from 'vitest'
import { warningLine } from '../../../src-main/cli/commands/supervise.ts'
import { bottleError, toFailure } from '../../../src-main/system/bottle-error.ts'

test('the log has the sentence and the detail of whatever was told', () => {
  const error = bottleError('busy', 'Another program\nholds it.', { slug: 'box', detail: 'pid 7' })
  expect(warningLine(error)).toBe('box: busy: Another program holds it.: pid 7')
  expect(warningLine(toFailure(error))).toBe(warningLine(error))
  expect(warningLine(new Error('odd'))).toContain('odd')
})
