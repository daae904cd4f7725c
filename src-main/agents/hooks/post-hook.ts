import type { IncomingMessage } from 'node:http'
import { http, https } from '../../system/builtin-http.ts'
import { plainText } from './redact.ts'
import { type HookEnd, MARGIN_BYTES, OUTPUT_BYTES } from './run-shell-hook.ts'

/** Bytes of an answer that are read; what comes after is left. */
const ANSWER_BYTES = OUTPUT_BYTES + MARGIN_BYTES
const MOST_REDIRECTS = 3

type Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly output: string }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: string }

/** Sends JSON to an address and takes its answer. A redirect is followed on the same origin only. */
export async function postHook(
  address: string,
  body: unknown,
  options: { readonly timeoutSeconds: number; readonly signal: AbortSignal },
): Promise<HookEnd> {
  const limit = AbortSignal.timeout(Math.max(1, options.timeoutSeconds * 1000))
  const signal = AbortSignal.any([options.signal, limit])
  try {
    return await follow(new URL(address), JSON.stringify(body), signal)
  } catch (thrown) {
    const isCancelled = options.signal.aborted
    if (isCancelled) return failed(null, 'Stopped: the operation was cancelled.', true)
    if (limit.aborted)
      return { ...failed(null, `No answer within ${options.timeoutSeconds} s.`), outcome: 'timeout' }
    return failed(null, thrown instanceof Error ? complaintOf(thrown) : String(thrown))
  }
}

async function follow(first: URL, text: string, signal: AbortSignal): Promise<HookEnd> {
  let url = first
  for (let turn = 0; turn <= MOST_REDIRECTS; turn++) {
    const answer = await send(url, text, signal)
    if (answer.kind === 'answer') {
      const isDone = answer.status >= 200 && answer.status < 300
      return { ...failed(answer.status, answer.output), outcome: isDone ? 'done' : 'failed' }
    }
    const to = URL.canParse(answer.to, url.href) ? new URL(answer.to, url) : null
    if (to?.origin !== first.origin) {
      return failed(answer.status, 'It answers with a redirect to another origin, which is not followed.')
    }
    // Credentials belong to the origin, and a redirect names none.
    to.username = first.username
    to.password = first.password
    url = to
  }
  return failed(null, `It answers with more than ${MOST_REDIRECTS} redirects.`)
}

function send(url: URL, text: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https() : http()
    const sent = request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        connection: 'close',
      },
      agent: false,
      signal,
    })
    sent.once('error', reject)
    sent.once('response', (response) => {
      const status = response.statusCode ?? 0
      const { location } = response.headers
      if ([301, 302, 307, 308].includes(status) && location !== undefined) {
        response.destroy()
        resolve({ kind: 'redirect', status, to: location })
        return
      }
      readAnswer(response).then((output) => resolve({ kind: 'answer', status, output }), reject)
    })
    sent.end(text)
  })
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let held = 0
  // Leaving the loop destroys the response: nobody reads a body without an end.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    held += chunk.length
    if (held >= ANSWER_BYTES) break
  }
  return plainText(Buffer.concat(chunks).subarray(0, ANSWER_BYTES))
}

function failed(code: number | null, output: string, isCancelled = false): HookEnd {
  return { outcome: 'failed', code, output, isCancelled }
}

/** The system's word for it; messages may repeat the address. */
function complaintOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ECONNREFUSED':
      return 'Nobody listens at that address.'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'The host of that address is not known.'
    case undefined:
      return error.name === 'TypeError' ? 'The address cannot be used.' : 'The connection failed.'
    default:
      return `The connection failed (${code}).`
  }
}
