declare const __ICEBOX_FAULTS__: boolean | undefined

/**
 * A named point at which a test may kill this process: `ICEBOX_FAULT=<name>:kill`, or `<name>:throw`.
 * Compiled to nothing in release builds. Source: testing.md, suite "faults".
 */
export function faultPoint(name: string): void {
  if (typeof __ICEBOX_FAULTS__ !== 'undefined' && !__ICEBOX_FAULTS__) return
  const wanted = process.env.ICEBOX_FAULT
  if (!wanted) return
  if (wanted === `${name}:kill`) process.kill(process.pid, 'SIGKILL')
  if (wanted === `${name}:throw`) throw Object.assign(new Error(`fault at ${name}`), { code: 'ENOSPC' })
}
