import type { Face } from '../face.ts'

/**
 * Turns a command's implementation into what the parser calls: arguments as the definition names them, then the
 * flags. The implementation is imported only when its command runs.
 */
export type Bind = <A extends readonly unknown[]>(
  command: (face: Face, ...args: A) => Promise<number>,
) => (...received: readonly unknown[]) => Promise<void>

/** Collects a flag that may be given several times. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value]
}
