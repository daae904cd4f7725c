/** Screens as the programs paint them, written for these tests. */

const RULE = '─'.repeat(60)

export const CLAUDE_IDLE = `
 ✻ Welcome to Claude Code

⏺ I looked at the login page. About 50% of it is styled.

${RULE}
❯
${RULE}
  ⏵⏵ bypass permissions on (shift+tab to cycle)
`

export const CLAUDE_HINT = CLAUDE_IDLE.replace('❯\n', '❯ Try "edit app.ts to add a test"\n')

export const CLAUDE_UNSENT = CLAUDE_IDLE.replace('❯\n', '❯ please also fix the tests\n')

export const CLAUDE_WORKING = `
❯ fix the tests

⏺ Bash(npm test)
  ⎿  Running…

✶ Contemplating… (42s · ↓ 1.2k tokens · esc to interrupt)

${RULE}
❯
${RULE}
  ⏵⏵ bypass permissions on (shift+tab to cycle) · 2 local agents running
`

/** The list of tasks stands between the spinner and the input line. */
export const CLAUDE_TASKS = CLAUDE_WORKING.replace(' · esc to interrupt)', ')').replace(
  `\n\n${RULE}`,
  `\n${Array.from({ length: 12 }, (_, index) => `  ☐ Task ${index}`).join('\n')}\n\n${RULE}`,
)

export const CLAUDE_PERMISSION = `
⏺ Bash(rm -rf build)

╭──────────────────────────────────────────────────────────╮
│ Bash command                                             │
│                                                          │
│   rm -rf build                                           │
│   Remove the build folder                                │
│                                                          │
│ Do you want to proceed?                                  │
│ ❯ 1. Yes                                                 │
│   2. Yes, and don't ask again for rm commands            │
│   3. No, and tell Claude what to do differently (esc)    │
╰──────────────────────────────────────────────────────────╯
`

export const CLAUDE_LIMIT = `
❯ go on

⏺ You've hit your limit · resets 5pm (UTC)
     /upgrade to increase your usage limit

${RULE}
❯
${RULE}
  ? for shortcuts
`

export const CLAUDE_OLD_LIMIT = CLAUDE_LIMIT.replace(
  `${RULE}\n❯\n`,
  `❯ go on now\n\n⏺ Done, everything works again.\n\n${RULE}\n❯\n`,
)

export const CLAUDE_SIGNED_OUT = `
❯ hello
  ⎿  API Error: 401 {"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired."}} · Please run /login

${RULE}
❯
${RULE}
  ? for shortcuts
`

export const CLAUDE_LOGIN_FOOTER = `
 ✻ Welcome to Claude Code

${RULE}
❯
${RULE}
  ? for shortcuts                          Not logged in · Run /login
`

/** Words about every trouble, none of which is there. */
export const CLAUDE_CHAT = `
❯ what do you know about errors?

⏺ Invalid API key errors were handled in the login form. When your limit is reached,
  Please run /login
  You've hit your limit · resets 5pm (UTC)
  5-hour limit reached ∙ resets 3pm
  the page says "usage limit reached" and 100% of the bar is red. Press esc to interrupt it.
  Should I go on? (y/n)
  1. Yes
  2. No
  "3 local agents running" is what the status says.
  * Loading the page...
  · Waiting…

${RULE}
❯
${RULE}
  ⏵⏵ bypass permissions on (shift+tab to cycle)
`

export const CODEX_WORKING = `
› fix the tests

• Working (12s • esc to interrupt)

› Ask Codex to do anything

  gpt-5-codex · 87% context left
`

export const CODEX_IDLE = `
› fix the tests

• All tests pass now.

› Ask Codex to do anything

  gpt-5-codex · 87% context left
`

export const CODEX_LIMIT = `
› go on

■ You've hit your usage limit. Upgrade to Pro or try again in 3 hours 12 minutes.

›

  gpt-5-codex · 87% context left
`

export const CODEX_SIGN_IN = `
  Welcome to Codex, OpenAI's command-line coding agent

  Sign in with ChatGPT to use Codex as part of your paid plan

> 1. Sign in with ChatGPT
  2. Provide your own API key

  Press enter to continue
`

export const CODEX_APPROVAL = `
• Running rm -rf build

  Would you like to run the following command?

  $ rm -rf build

› 1. Yes, proceed (y)
  2. Yes, and don't ask again for this command (a)
  3. No, and tell Codex what to do differently (esc)

  Press enter to confirm or esc to cancel
`

export const PI_IDLE = `
 Fixed it.

${RULE}

${RULE}
 ~/work
 ↑12k ↓3.1k $0.123 12.3%/200k (auto)   claude-sonnet-4-5
`

export const PI_WORKING = PI_IDLE.replace(`\n${RULE}\n\n`, `\n ⠋ Working...\n\n${RULE}\n\n`)

export const SHELL_YES_NO = `
Checking the project
 Load the settings of this folder? (y/n)
`

export const LOG_OF_A_BUILD = `
> app@1.0.0 test
> vitest run
`

export const LOG_WITH_OLD_ERROR = `
Error: 429 too many requests
retrying
retrying
fetched
parsed
stored
`

export const OLD_CLAUDE_IDLE = `
● Done.

╭──────────────────────────────────────────╮
│ >                                        │
╰──────────────────────────────────────────╯
  ? for shortcuts
`
