/** A page that needs no script and no file: for answers before there is a session. Texts are fixed, so nothing is escaped. */
function plainPage(title: string, paragraphs: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${title}</title></head>
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
