/** Node's names of processors → OCI's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }

/** What runs on this machine, in the words that images use. */
export function thisMachine() {
  return {
    os: 'linux',
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    system: process.platform,
  } as const
}
