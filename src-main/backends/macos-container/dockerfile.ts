import type { SnapshotConfig } from './rebuild-config.ts'

/** The builder refuses larger ones. Source: apple/container issue 735. */
export const DOCKERFILE_BYTES = 16 * 1024

export interface Dockerfile {
  readonly text: string
  /** Parts of the config that no Dockerfile can carry, as a person reads them: `ENV KEY`. */
  readonly lost: readonly string[]
}

/**
 * Pure: the build that makes an image of exported files with a config. What can't be written down exactly is left out
 * and told, never changed. Source: cli-contracts.md, 1.8 "Rebuild recipe".
 */
export function rebuildDockerfile(rootfs: string, { run, labels }: SnapshotConfig): Dockerfile {
  const lost: string[] = []
  const lines: string[] = ['FROM scratch', `ADD ${rootfs} /`]
  const add = (what: string, texts: readonly string[], line: () => string) => {
    if (texts.every(isCarried)) lines.push(line())
    else lost.push(what)
  }
  for (const variable of run.Env ?? []) {
    const cut = variable.indexOf('=')
    const name = cut === -1 ? variable : variable.slice(0, cut)
    const value = cut === -1 ? '' : variable.slice(cut + 1)
    // Without a value a variable is unset, which no line can say.
    if (cut === -1 || !isPlainName(name)) lost.push(`ENV ${name}`)
    else add(`ENV ${name}`, [value], () => `ENV ${name}=${quoted(value)}`)
  }
  for (const [name, value] of Object.entries(labels))
    add(`LABEL ${name}`, [name, value], () => `LABEL ${quoted(name)}=${quoted(value)}`)
  const { WorkingDir, User, StopSignal } = run
  if (WorkingDir) add('WORKDIR', [WorkingDir], () => `WORKDIR ${quoted(WorkingDir)}`)
  if (User) add('USER', [User], () => `USER ${quoted(User)}`)
  for (const port of Object.keys(run.ExposedPorts ?? {})) {
    if (/^\d+(-\d+)?(\/[a-z]+)?$/.test(port)) lines.push(`EXPOSE ${port}`)
    else lost.push(`EXPOSE ${port}`)
  }
  if (StopSignal) add('STOPSIGNAL', [StopSignal], () => `STOPSIGNAL ${quoted(StopSignal)}`)
  for (const folder of Object.keys(run.Volumes ?? {})) {
    // Variables are expanded in this list, and nothing in it can be escaped for sure.
    if (/[$\\"]/.test(folder)) lost.push(`VOLUME ${folder}`)
    else lines.push(`VOLUME ${list([folder])}`)
  }
  if (run.Healthcheck) lost.push('HEALTHCHECK')
  // In this order: an entrypoint takes a command set before it away.
  for (const [key, words] of [
    ['SHELL', run.Shell],
    ['ENTRYPOINT', run.Entrypoint],
    ['CMD', run.Cmd],
  ] as const) {
    if (words?.every(isUnicode)) lines.push(`${key} ${list(words)}`)
    else if (words) lost.push(key)
  }
  return { text: `${lines.join('\n')}\n`, lost }
}

const isUnicode = (text: string) => text.isWellFormed() && !text.includes('\0')

/** A line is all that an instruction is; lists are JSON, which has an escape for its end. */
const isCarried = (text: string) => isUnicode(text) && !/[\n\r]/.test(text)

const isPlainName = (name: string) => /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)

/** A word in double quotes, in which nothing is expanded. */
const quoted = (text: string) => `"${text.replace(/["\\$]/g, '\\$&')}"`

const list = (words: readonly string[]) => JSON.stringify(words)
