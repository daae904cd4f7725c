interface Thrown {
  readonly code?: string
  readonly message?: string
}

const WHY: readonly (readonly [RegExp, (url: string) => string])[] = [
  [
    /ERR_TLS_CERT_ALTNAME/,
    (url) => `The certificate of Docker at ${url} is for another name, so nothing was sent.`,
  ],
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)/,
    (url) => `The certificate of Docker at ${url} is not valid today, so nothing was sent.`,
  ],
  [
    /^(UNABLE_TO_(GET_ISSUER|VERIFY)|SELF_SIGNED_CERT|DEPTH_ZERO|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/,
    (url) =>
      `The certificate of Docker at ${url} is not from an authority in ca.pem (DOCKER_CERT_PATH or your Docker context), so nothing was sent.`,
  ],
  [
    /_ALERT_/,
    (url) =>
      `Docker at ${url} does not accept your certificate. It reads cert.pem and key.pem in DOCKER_CERT_PATH or your Docker context.`,
  ],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/, (url) => `What answers at ${url} does not speak TLS.`],
  [/^ERR_OSSL_/, (url) => `The certificates for Docker at ${url} are damaged or do not fit together.`],
]

/** Why no secure connection came about, in a sentence; null for what has nothing to do with it. Pure. */
export function tlsFailure({ code, message }: Thrown, url: string): string | null {
  if (!code) return null
  const subject = code === 'EPROTO' ? (message ?? '').toUpperCase().replaceAll(' ', '_') : code
  return WHY.find(([pattern]) => pattern.test(subject))?.[1](url) ?? null
}
