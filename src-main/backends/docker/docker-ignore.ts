/**
 * Compiles a `.dockerignore` into a test of relative paths: later lines win, `!` takes back, `**` spans folders,
 * and what lies in an ignored folder is ignored too.
 */
export function parseDockerIgnore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.replace(/\r$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const takesBack = line.startsWith('!')
      const pattern = (takesBack ? line.slice(1).trim() : line).replace(/^\.?\/+/, '').replace(/\/+$/, '')
      return { takesBack, expression: toExpression(pattern) }
    })
  return (path) => {
    let isIgnored = false
    for (const { takesBack, expression } of rules) {
      if (isIgnored === takesBack && expression.test(path)) isIgnored = !takesBack
    }
    return isIgnored
  }
}

/** True when some line takes back, so that ignored folders must still be entered. */
export function takesBack(text: string): boolean {
  return text.split('\n').some((line) => line.trim().startsWith('!'))
}

function toExpression(pattern: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const letter = pattern[at] ?? ''
    if (pattern.startsWith('**/', at)) {
      source += '(?:.*/)?'
      at += 2
    } else if (pattern.startsWith('**', at)) {
      source += '.*'
      at += 1
    } else if (letter === '*') source += '[^/]*'
    else if (letter === '?') source += '[^/]'
    else if (letter === '\\' && at + 1 < pattern.length) {
      at += 1
      source += escapeLetter(pattern[at] ?? '')
    } else source += escapeLetter(letter)
  }
  return new RegExp(`^${source}(?:/.*)?$`, 's')
}

function escapeLetter(letter: string): string {
  return letter.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
