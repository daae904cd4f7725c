import type { Face } from '../face.ts'
import { wholeNumber } from '../usage.ts'

/** `icebox serve`: runs until a signal; prints one line `{"url"}` once it listens. */
export async function serveCommand(
  face: Face,
  flags: { readonly port?: string; readonly open?: boolean; readonly newLink?: boolean },
): Promise<number> {
  const port = flags.port === undefined ? undefined : wholeNumber('--port', flags.port, 0, 65_535)
  const { runServe } = await import('../../serve.ts')
  return runServe({
    home: face.home,
    port,
    open: flags.open,
    newLink: flags.newLink,
    json: face.json,
    quiet: face.quiet,
    signal: face.signal,
  })
}
