import { expect, test } from 'vitest'
import { parseAnswer } from '../../../../src-main/backends/docker/engine-http.ts'

const answer = (text: string) => parseAnswer(Buffer.from(text))

test('reads status and body, whatever the case of the headers', () => {
  expect(answer('HTTP/1.0 200 OK\r\ncontent-length: 4\r\n\r\n["ü')).toEqual({ status: 200, body: '["ü' })
  expect(answer('HTTP/1.1 404 Not Found\r\n\r\n{"message":"no"}')).toEqual({
    status: 404,
    body: '{"message":"no"}',
  })
})

test('never takes half an answer for a whole one', () => {
  for (const half of [
    '',
    'HTTP/1.0 200 OK\r\n',
    'HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n[]',
    'nonsense\r\n\r\n[]',
  ]) {
    expect(answer(half)).toBeUndefined()
  }
})
