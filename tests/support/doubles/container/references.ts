import { ContainerError } from './errors.ts'

const HOST = /^(localhost|[^/]*[.:][^/]*)$/
const SHAPE =
  /^[a-z0-9][a-z0-9._-]*(?::\d+)?(?:\/[a-z0-9][a-z0-9._-]*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/

/** The full reference that a short one means: `foo` is `docker.io/library/foo:latest`. */
export function normaliseReference(reference: string): string {
  if (!SHAPE.test(reference)) throw new ContainerError('invalidArgument', `invalid reference ${reference}`)
  const [first = '', ...others] = reference.split('/')
  const withHost =
    others.length > 0 && HOST.test(first)
      ? reference
      : others.length > 0
        ? `docker.io/${reference}`
        : `docker.io/library/${reference}`
  const name = withHost.slice(withHost.lastIndexOf('/') + 1)
  return /[:@]/.test(name) ? withHost : `${withHost}:latest`
}

/** The short form in which references are shown. */
export function shortReference(reference: string): string {
  return reference.replace(/^docker\.io\/(library\/)?/, '')
}
