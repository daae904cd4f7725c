import type { IncomingMessage } from 'node:http'

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i

export type Refusal = { readonly status: 400 | 403; readonly reason: string }

/**
 * Refuses what a page of another origin, or a name that was rebound to this machine, could send: `Host` must be a
 * loopback name (any port: tunnels change it), `Origin` must be equal to it when there is one.
 */
export function refuseForeign(
  request: IncomingMessage,
  options: { readonly needsOrigin: boolean },
): Refusal | null {
  const hosts = headerValues(request, 'host')
  const origins = headerValues(request, 'origin')
  const host = hosts[0]
  if (hosts.length !== 1 || host === undefined || origins.length > 1) {
    return { status: 400, reason: 'The request has no clear Host or Origin.' }
  }
  if (!LOOPBACK.test(host)) return { status: 403, reason: 'Icebox answers to 127.0.0.1 and localhost only.' }
  const origin = origins[0]
  if (origin === undefined) {
    return options.needsOrigin
      ? { status: 403, reason: 'The request does not say where it comes from.' }
      : null
  }
  return origin.toLowerCase() === `http://${host.toLowerCase()}`
    ? null
    : { status: 403, reason: 'The request comes from another page.' }
}

/** Node drops repeated Host headers, so the raw list is what tells. */
function headerValues(request: IncomingMessage, name: string): string[] {
  return request.rawHeaders.filter(
    (_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name,
  )
}
