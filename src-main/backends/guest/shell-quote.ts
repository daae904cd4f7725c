import { bottleError } from '../../system/bottle-error.ts'

/**
 * One word for a POSIX shell: it reads back as exactly the same text, whatever it holds but NUL.
 * The only quoting function for files that a shell reads.
 * @throws BottleError `manifest-invalid` on NUL, which no program can be given
 */
export function shellQuote(text: string): string {
  if (text.includes('\0'))
    throw bottleError('manifest-invalid', 'A value has a NUL character; no program can take it.')
  return `'${text.replaceAll("'", "'\\''")}'`
}
