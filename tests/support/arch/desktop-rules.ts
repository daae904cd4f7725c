import { withoutComments } from './imports.ts'
import type { Sources } from './sources.ts'

interface Rule {
  readonly what: string
  readonly pattern: RegExp
  /** Files that may, each for a reason of its own. */
  readonly allowed: readonly string[]
}

/** None of these runs inside the app: the fuse that would make Electron a Node is off. */
const NODE_STARTERS: readonly string[] = [
  // `npm start`, on plain Node.
  'src-main/start.ts',
  // The command on a Node that is too old; Electron's is not.
  'src-main/cli/bundled-node.ts',
  // Names the app's own program for the system to start later.
  'src-main/shell/launch-command.ts',
  // The app itself with `--cli`, or the Node that runs the command: never Electron as a Node.
  'src-main/bottles/supervise/spawn-supervisor.ts',
  // Only looks at the file.
  'src-main/bottles/supervise/own-files.ts',
]

/** Words of Electron's that take a right away from main or give one to a page. */
const RULES: readonly Rule[] = [
  {
    what: 'makes a window',
    pattern: /\bnew (?:BrowserWindow|BaseWindow|WebContentsView)\(/,
    allowed: ['src-main/shell/main-window.ts'],
  },
  {
    what: 'opens a link',
    pattern: /\bopenExternal\(/,
    allowed: ['src-main/shell/security.ts', 'src-main/shell/run-command.ts'],
  },
  { what: 'opens a file with its program', pattern: /\bopenPath\(/, allowed: [] },
  { what: 'shows a file in its folder', pattern: /\bshowItemInFolder\(/, allowed: [] },
  {
    what: 'talks to a page past the transport',
    pattern: /\bipcMain\s*\.\s*(?!removeAllListeners\()/,
    allowed: [],
  },
  { what: 'waits for main without yielding', pattern: /\bsendSync\(/, allowed: [] },
  { what: 'runs a script in a page', pattern: /\b(?:executeJavaScript|insertCSS)\w*\(/, allowed: [] },
  {
    what: 'loosens the page',
    pattern:
      /\b(?:sandbox|contextIsolation|webSecurity): false|\b(?:nodeIntegration\w*|webviewTag|allowRunningInsecureContent|experimentalFeatures|navigateOnDragDrop|bypassCSP): true/,
    allowed: [],
  },
  {
    what: 'writes markup',
    pattern: /\b(?:dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b/,
    allowed: [],
  },
  { what: 'keeps a secret where it is none', pattern: /\bencryptionKey\b/, allowed: [] },
  {
    what: 'gives words to a shell',
    // With a string: a method of that name that takes a list is no shell.
    pattern:
      /\bshell: (?:true|['"`]\/|['"`](?:ba|da|z)?sh\b)|(?:^|[^.\w])exec(?:Sync)?\(\s*['"`]|\bimport\b[^\n]*\bexec(?:Sync)?\b[^\n]*child_process/,
    allowed: [],
  },
  {
    what: 'starts another Node',
    pattern: /\bprocess\.execPath\b|\butilityProcess\b|[^.\w]fork\(.*\.(?:js|ts|mjs)\b/,
    allowed: NODE_STARTERS,
  },
]

/** What files do that only some may; and allowances that nothing uses. */
export function desktopViolations(sources: Sources): string[] {
  return RULES.flatMap(({ what, pattern, allowed }) => {
    const found = [...sources].filter(([, text]) => pattern.test(withoutComments(text))).map(([path]) => path)
    return [
      ...found.filter((path) => !allowed.includes(path)).map((path) => `${path} ${what}`),
      ...allowed
        .filter((path) => sources.has(path) && !found.includes(path))
        .map((path) => `${path} no longer ${what}`),
    ]
  })
}

const MAX_PRELOAD = 10_000

/** What is wrong with the built preload: a sandboxed one is a single CommonJS file that requires nothing but electron. */
export function preloadProblems(files: ReadonlyMap<string, string>): string[] {
  const scripts = [...files].filter(([path]) => !path.endsWith('.map'))
  const [first] = scripts
  if (scripts.length !== 1 || !first?.[0].endsWith('/index.cjs'))
    return [`${scripts.length} files, not one index.cjs`]
  const text = first[1]
  const required = [...text.matchAll(/\brequire\(([^)]*)\)/g)].map(([, name]) => name)
  return [
    ...(Buffer.byteLength(text) < MAX_PRELOAD ? [] : [`${Buffer.byteLength(text)} bytes`]),
    ...required.filter((name) => !/^["'`]electron["'`]$/.test(name ?? '')).map((name) => `requires ${name}`),
    ...(required.length > 0 ? [] : ['requires not even electron']),
    ...(/^\s*(?:import|export)\b|\bimport\(/m.test(text) ? ['is no CommonJS'] : []),
  ]
}
