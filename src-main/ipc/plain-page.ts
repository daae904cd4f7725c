import { createHash } from 'node:crypto'
import { SECURITY_HEADERS } from './security-headers.ts'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#f6f8fa, #0f1418); color: light-dark(#12202b, #e6edf3) }
main { max-width: 34rem; margin: 1.5rem; padding: 2rem; border-radius: 12px; background: light-dark(#fff, #171e24); border: 1px solid light-dark(#d5dde4, #2b363f) }
h1 { margin: 0 0 1rem; font-size: 1.25rem; line-height: 1.3 }
p { margin: 0 0 1rem }
p:last-child { margin: 0 }
code { display: block; padding: .75rem 1rem; border-radius: 8px; background: light-dark(#eef2f5, #0f1418); font: .9rem/1.4 ui-monospace, monospace; user-select: all }
a { color: light-dark(#0a66a8, #6cc1f5) }
`
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** A page that needs no script and no file: for answers before there is a session. Texts are fixed, so nothing is escaped. */
function plainPage(title: string, paragraphs: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head>
<body>
<main>
<h1>${title}</h1>
${paragraphs.map((text) => `<p>${text}</p>`).join('\n')}
</main>
</body>
</html>
`
}

/** Says how to get in, to somebody who has no session here: a used or mistyped link, or another browser. */
export const NEEDS_LINK_PAGE = plainPage('This link does not open Icebox any more', [
  'A link works once. On the machine where Icebox runs, get a new one:',
  '<code>icebox serve --new-link</code>',
  'If you have opened a new link just now, <a href="/">go on to Icebox</a>.',
])

/** Headers for a plain page: the strict policy, and its one style by hash. */
export const PLAIN_PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': (SECURITY_HEADERS['Content-Security-Policy'] ?? '')
    .replace("script-src 'self'", "script-src 'none'")
    .replace("style-src 'self'", `style-src 'sha256-${STYLE_HASH}'`),
}
