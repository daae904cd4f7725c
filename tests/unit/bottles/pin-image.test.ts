import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PlannedRun } from '../../../src-main/agents/plan-run.ts'
import { pinImage } from '../../../src-main/bottles/pin-image.ts'

const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' })
const DIGEST = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`

let server: Server
let host: string
let asked: string[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/v2/') response.end()
    else if (request.url === '/v2/box/manifests/1') response.end(MANIFEST)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

const planned = (reference: string): PlannedRun => ({
  ...{
    image: { kind: 'image', reference },
    argv: null,
    prompt: null,
    env: {},
    secretNames: [],
    sidecars: [],
  },
  ...{ mounts: [], resources: { cpus: null, memoryBytes: null }, user: null, workdir: null },
  ...{ network: 'default', homeFiles: {}, notices: [], multiplexer: 'tmux', forgeSidecar: false },
})
const pin = async (reference: string, backend: 'smolmachines' | 'docker' = 'smolmachines') => {
  asked = []
  const { image } = await pinImage(
    planned(reference),
    backend,
    { HOME: '/nowhere' },
    new AbortController().signal,
  )
  return image.kind === 'image' ? image.reference : null
}

it('names a tag by what it stands for now', async () => {
  expect(await pin(`${host}/box:1`)).toBe(`${host}/box@${DIGEST}`)
})

it('leaves a tag that no registry knows, and a registry that does not answer', async () => {
  expect(await pin(`${host}/box:2`)).toBe(`${host}/box:2`)
  expect(await pin('127.0.0.1:1/box:1')).toBe('127.0.0.1:1/box:1')
})

it('asks nobody for what has a digest, for a file, or for another engine', async () => {
  const pinned = `${host}/box@${DIGEST}`
  expect(await pin(pinned)).toBe(pinned)
  expect(await pin('/srv/box.tar')).toBe('/srv/box.tar')
  expect(await pin(`${host}/box:1`, 'docker')).toBe(`${host}/box:1`)
  expect(asked).toEqual([])
})

it('stops with its caller', async () => {
  const stopped = AbortSignal.abort()
  await expect(pinImage(planned(`${host}/box:1`), 'smolmachines', {}, stopped)).rejects.toThrow()
})
