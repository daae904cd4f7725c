import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { must } from './busybox-image.ts'

/** The engine of the tests behind TLS on loopback, which lets in only who shows a certificate of its own authority. */
export interface TlsEngine {
  readonly port: number
  /** Folders as `DOCKER_CERT_PATH` names them: whole, without the client's certificate, and of another authority. */
  readonly certs: { readonly good: string; readonly anonymous: string; readonly foreign: string }
  /** Connections that were let in, and those that are open. */
  accepted(): number
  open(): number
  stop(): Promise<void>
}

/** @param names what the server's certificate says it is, as in `IP:127.0.0.1` */
export async function startTlsEngine(
  names = 'IP:127.0.0.1',
  dockerHost = process.env.DOCKER_HOST ?? '/var/run/docker.sock',
): Promise<TlsEngine> {
  const dir = await mkdtemp(join(tmpdir(), 'tls-'))
  const at = (folder: string, name: string) => join(dir, folder, `${name}.pem`)
  await makeAuthority(dir, 'good')
  await makeAuthority(dir, 'foreign')
  await makeCertificate(dir, 'good', 'server', `subjectAltName=${names}`)
  await makeCertificate(dir, 'good', 'cert', 'extendedKeyUsage=clientAuth')
  await makeCertificate(dir, 'foreign', 'cert', 'extendedKeyUsage=clientAuth')
  await mkdir(join(dir, 'anonymous'))
  await writeFile(at('anonymous', 'ca'), await readFile(at('good', 'ca')))

  const open = new Set<TLSSocket>()
  let accepted = 0
  const server = createServer(
    {
      ca: await readFile(at('good', 'ca')),
      cert: await readFile(at('good', 'server')),
      key: await readFile(join(dir, 'good/server-key.pem')),
      requestCert: true,
      rejectUnauthorized: true,
      allowHalfOpen: true,
    },
    (near) => {
      accepted += 1
      open.add(near)
      const far = connect({ path: dockerHost.replace('unix://', ''), allowHalfOpen: true })
      near.pipe(far).pipe(near)
      near.on('error', () => far.destroy())
      far.on('error', () => near.destroy())
      near.on('close', () => {
        open.delete(near)
        far.destroy()
      })
      far.on('close', () => near.end())
    },
  )
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    certs: { good: join(dir, 'good'), anonymous: join(dir, 'anonymous'), foreign: join(dir, 'foreign') },
    accepted: () => accepted,
    open: () => open.size,
    async stop() {
      for (const socket of open) socket.destroy()
      server.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function makeAuthority(dir: string, folder: string): Promise<void> {
  const at = (name: string) => join(dir, folder, name)
  await mkdir(join(dir, folder))
  const subject = ['-subj', `/CN=${folder} authority`, '-days', '2']
  await must('openssl', [
    'req',
    '-x509',
    ...NEW_KEY,
    ...subject,
    '-keyout',
    at('ca-key.pem'),
    '-out',
    at('ca.pem'),
  ])
}

/** `cert` gets the key file name that Docker asks for. */
async function makeCertificate(dir: string, folder: string, name: string, extension: string): Promise<void> {
  const at = (file: string) => join(dir, folder, file)
  const key = at(name === 'cert' ? 'key.pem' : `${name}-key.pem`)
  const issuer = ['-CA', at('ca.pem'), '-CAkey', at('ca-key.pem')]
  const subject = ['-subj', `/CN=${name}`, '-addext', extension]
  await must('openssl', ['req', ...NEW_KEY, ...subject, '-keyout', key, '-out', at(`${name}.csr`)])
  await must('openssl', [
    'x509',
    '-req',
    '-in',
    at(`${name}.csr`),
    ...issuer,
    '-CAcreateserial',
    '-copy_extensions',
    'copy',
    '-days',
    '2',
    '-out',
    at(`${name}.pem`),
  ])
}
