import { request } from 'node:http'
import { readJsonObject, removeDurable, writeDurable } from '../state/durable-file.ts'
import type { StateRoot } from '../state/root.ts'
import { bottleError } from '../system/bottle-error.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from '../system/process-identity.ts'

/** `icebox/serve.json`: how this user's other programs reach the server of a state root. */
export interface ServeRecord {
  readonly serverId: string
  readonly port: number
  readonly adminKey: string
  readonly process: ProcessIdentity
}

const ANSWER_MS = 5000

function recordFile(root: StateRoot): string {
  return root.path('icebox', 'serve.json')
}

/** Records this process as the server of the root, in place of a dead or an older one. Readable by the user only. */
export async function writeServeRecord(
  root: StateRoot,
  server: { readonly serverId: string; readonly port: number; readonly adminKey: string },
): Promise<void> {
  const record = { version: 1, ...server, process: await ownIdentity() }
  await writeDurable(recordFile(root), `${JSON.stringify(record)}\n`, 0o600)
}

/** Removes the record if it is still this server's. */
export async function removeServeRecord(root: StateRoot, serverId: string): Promise<void> {
  const record = await readRecord(root)
  if (record?.serverId === serverId) await removeDurable(recordFile(root))
}

/**
 * Asks the running server of the root for a new one-time address.
 * @throws BottleError `not-found` when none runs, `timeout` when it does not answer.
 */
export async function requestNewLink(root: StateRoot, signal: AbortSignal): Promise<string> {
  const record = await readRecord(root)
  if (!record || !(await isAlive(record.process))) {
    throw bottleError('not-found', `No server runs for ${root.dir}. Start one with: icebox serve`)
  }
  const answer = await post(record, signal)
  try {
    const { url } = JSON.parse(answer) as { url?: unknown }
    if (typeof url === 'string') return url
  } catch {
    // The one error below says it for both cases.
  }
  throw bottleError(
    'internal',
    `The server at port ${record.port} gave no link. Restart it with: icebox serve`,
  )
}

async function readRecord(root: StateRoot): Promise<ServeRecord | null> {
  const read = await readJsonObject(recordFile(root))
  // A damaged record is of no use to anybody, and the next server writes a new one.
  if (read.kind !== 'ok') return null
  const { serverId, port, adminKey, process } = read.value as Partial<ServeRecord>
  const isWhole =
    typeof serverId === 'string' &&
    typeof port === 'number' &&
    typeof adminKey === 'string' &&
    typeof process?.pid === 'number' &&
    typeof process.startTime === 'string' &&
    typeof process.bootId === 'string'
  return isWhole ? { serverId, port, adminKey, process } : null
}

function post(record: ServeRecord, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const ask = request(
      {
        host: '127.0.0.1',
        port: record.port,
        path: '/new-link',
        method: 'POST',
        headers: { Authorization: `Bearer ${record.adminKey}` },
        timeout: ANSWER_MS,
        signal,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text = (text + part).slice(0, 10_000)
        })
        response.on('end', () => resolve(text))
        response.on('error', reject)
      },
    )
    ask.on('timeout', () => ask.destroy(bottleError('timeout', 'The running server does not answer.')))
    ask.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET'
          ? bottleError('not-found', 'The server has just ended. Start one with: icebox serve', {
              cause: error,
            })
          : error,
      ),
    )
    ask.end()
  })
}
