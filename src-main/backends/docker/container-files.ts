import type { Readable } from 'node:stream'
import type { Extract } from 'tar-stream'
import type { Owner } from '../guest/tar-pack.ts'
import { type Engine, LONG_MS } from './engine.ts'
import { isMissing } from './engine-errors.ts'

/** Puts an archive into a container's file system, volumes included. `path` must be a folder there. */
export async function putFiles(
  engine: Engine,
  id: string,
  path: string,
  archive: Buffer | Readable,
  signal: AbortSignal,
): Promise<void> {
  const what = `copy files to ${path}`
  if (Buffer.isBuffer(archive)) {
    const url = `/containers/${encodeURIComponent(id)}/archive?path=${encodeURIComponent(path)}`
    const body = { type: 'application/x-tar', bytes: archive } as const
    await engine.send(what, { method: 'PUT', path: url, body }, signal, LONG_MS)
    return
  }
  await engine.call(
    what,
    signal,
    (docker, abortSignal) => docker.getContainer(id).putArchive(archive, { path, abortSignal }),
    LONG_MS,
  )
}

/** What lies at a path of a container: null when nothing does; links are followed to where they lead. */
export async function statInContainer(
  engine: Engine,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly path: string } | null> {
  try {
    const answer = (await engine.call(`look at ${path}`, signal, (docker, abortSignal) =>
      docker.getContainer(id).infoArchive({ path, abortSignal }),
    )) as { headers: Record<string, string | undefined>; resume(): void }
    answer.resume()
    const stat = answer.headers['x-docker-container-path-stat']
    const { linkTarget } = JSON.parse(Buffer.from(stat ?? 'e30=', 'base64').toString('utf8')) as {
      linkTarget?: string
    }
    return { path: linkTarget?.startsWith('/') ? linkTarget : path }
  } catch (thrown) {
    if (isMissing(thrown)) return null
    throw thrown
  }
}

/** Whom the agent runs as, and where that user's home is. */
export interface ContainerUser {
  readonly owner: Owner
  readonly home: string
}

/** Looks a user up in the container's own passwd and group files, as the engine does at start. */
export async function findUser(
  engine: Engine,
  id: string,
  user: string,
  home: string | null,
  signal: AbortSignal,
): Promise<ContainerUser> {
  const [passwd, group] = await Promise.all([
    readTextFile(engine, id, '/etc/passwd', signal),
    user.includes(':') ? readTextFile(engine, id, '/etc/group', signal) : '',
  ])
  return resolveUser(user, passwd, group, home)
}

/** Pure: `user` as in an image config (`""`, `1000`, `name`, `name:group`, `1:2`). */
export function resolveUser(user: string, passwd: string, group: string, home: string | null): ContainerUser {
  const [who = '', ofGroup] = user.split(':')
  const name = who === '' ? '0' : who
  const rows = passwd.split('\n').map((line) => line.split(':'))
  const row = rows.find((fields) => fields[0] === name) ?? rows.find((fields) => fields[2] === name)
  const uid = Number(row?.[2] ?? name)
  const groups = group.split('\n').map((line) => line.split(':'))
  const named = groups.find((fields) => ofGroup !== undefined && fields[0] === ofGroup)
  const gid = ofGroup === undefined ? Number(row?.[3] ?? 0) : Number(named?.[2] ?? ofGroup)
  const safe = (value: number) => (Number.isInteger(value) && value >= 0 ? value : 0)
  return {
    owner: { uid: safe(uid), gid: safe(gid) },
    home: home || row?.[5] || (safe(uid) === 0 ? '/root' : '/'),
  }
}

async function readTextFile(engine: Engine, id: string, path: string, signal: AbortSignal): Promise<string> {
  // Before the stream: nobody would hear its failure meanwhile.
  const { extract } = await import('tar-stream')
  try {
    return await engine.call(`read ${path}`, signal, async (docker, abortSignal) => {
      const stream = await docker.getContainer(id).getArchive({ path, abortSignal })
      return firstFileOf(stream, extract())
    })
  } catch (thrown) {
    if (isMissing(thrown)) return ''
    throw thrown
  }
}

async function firstFileOf(stream: NodeJS.ReadableStream, reader: Extract): Promise<string> {
  stream.on('error', (error: Error) => reader.destroy(error))
  stream.pipe(reader)
  let text = ''
  for await (const entry of reader) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    if (!text) text = Buffer.concat(chunks).toString('utf8')
  }
  return text
}
