import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createDurable } from '../state/durable-file.ts'
import { SAMPLE_NAME } from './manifest-scan.ts'

/** Only what every POSIX shell has; `$1` is the prompt. Indented for the YAML block below. */
const SCRIPT = `
number() {
  found=$(cat "$1" 2>/dev/null)
  case $found in ''|*[!0-9]*) found=0 ;; esac
  printf '%s' "$found"
}
steps=\${SAMPLE_STEPS:-90}
pause=\${SAMPLE_PAUSE:-2}
task=\${1:-look around}
runs=$(number .runs)
runs=$(( runs + 1 ))
printf '%s\\n' "$runs" > .runs
step=$(number .step)
printf 'run %s: %s\\n' "$runs" "$task" >> notes.md
if [ "$runs" -eq 1 ]; then
  printf 'Hello from your sample bottle. This is run 1, in %s.\\n' "$PWD"
else
  printf 'Welcome back. This is run %s; notes.md has %s lines, and step %s is where we were.\\n' \\
    "$runs" "$(grep -c '' notes.md)" "$step"
fi
printf 'Task: %s\\n' "$task"
printf 'Freeze this bottle whenever you like: it goes on from the same step when you resume it.\\n\\n'
[ "$step" -ge "$steps" ] && step=0
work() {
  while [ "$step" -lt "$steps" ]; do
    step=$(( step + 1 ))
    printf '%s\\n' "$step" > .step
    printf 'step %3s of %s\\n' "$step" "$steps"
    sleep "$pause"
  done
  printf 'Done. Everything is in notes.md.\\n'
}
if [ -t 0 ]; then
  printf 'Type a line to keep it in notes.md. Ctrl-D ends the agent.\\n\\n'
  work &
  worker=$!
  trap 'kill "$worker" 2>/dev/null' EXIT
  trap 'exit 143' TERM HUP
  while IFS= read -r line; do
    printf 'you: %s\\n' "$line" >> notes.md
    printf 'Kept.\\n'
  done
else
  work
fi
`.trim()

function indented(text: string, spaces: number): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(spaces) + line))
    .join('\n')
}

const AGENT = `---
description: A friendly sample that needs nothing but a shell
bottle: ${SAMPLE_NAME}
provider: custom
command:
  headless:
    - /bin/sh
    - -c
    - |
${indented(SCRIPT, 6)}
    - sample
    - "{prompt}"
  interactive:
    - /bin/sh
    - -c
    - |
${indented(SCRIPT, 6)}
    - sample
    - "{prompt}"
  resume:
    - /bin/sh
    - -c
    - |
${indented(SCRIPT, 6)}
    - sample
---

This agent keeps notes.md in its folder: one line for every run. It counts its runs and its steps, so that you
can see a bottle go on where it was frozen. Change it, or remove this file and bottles/${SAMPLE_NAME}.md.
`

const BOTTLE = `---
backend: host
env:
  # How many steps a run takes, and how many seconds each.
  SAMPLE_STEPS: "90"
  SAMPLE_PAUSE: "2"
---

The sample's bottle: this machine, without any container engine.
`

/** Writes the sample agent and its bottle where they are absent; what is there is left as it is. */
export async function ensureSample(root: { readonly dir: string }): Promise<{ agent: string }> {
  for (const [folder, text] of [
    ['bottles', BOTTLE],
    ['agents', AGENT],
  ] as const) {
    await mkdir(join(root.dir, folder), { recursive: true, mode: 0o700 })
    await createDurable(join(root.dir, folder, `${SAMPLE_NAME}.md`), text, 0o644)
  }
  return { agent: SAMPLE_NAME }
}
