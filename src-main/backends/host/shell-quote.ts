/** One word of a POSIX shell that stands for exactly this text. Text with a zero byte has none. Pure. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
