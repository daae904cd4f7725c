import type { Platform } from '../../portable.ts'

/** Node's names of processors → OCI's. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
}

/**
 * What a bottle of this machine says it needs. The system is always Linux: that is the only one for which an image of
 * plain files means anything. Pure.
 */
export function platformOf(arch: string): Platform {
  if (arch === 'arm') return { os: 'linux', architecture: 'arm', variant: 'v7' }
  return { os: 'linux', architecture: ARCHITECTURES[arch] ?? arch }
}
