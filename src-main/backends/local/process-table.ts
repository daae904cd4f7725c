import { readdir } from 'node:fs/promises'
import { runCommand } from '../../system/run-command.ts'
import { inBatches } from './in-batches.ts'
import { readProcFile, readProcLine } from './read-proc.ts'

/** One living process. */
export interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** 0 where the system does not tell. */
  readonly session: number
  /** First letter as `ps` shows it: R, S, D, T, Z… */
  readonly state: string
}

/** All processes of this machine, in one pass and without a child process on Linux. */
export async function processTable(): Promise<readonly ProcessRow[]> {
  return process.platform === 'linux' ? linuxTable() : psTable()
}

async function linuxTable(): Promise<readonly ProcessRow[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const rows = await inBatches(names, 64, async (name) => {
    // A process may end between the listing and the reading.
    const text = await readProcLine(`/proc/${name}/stat`)
    return text ? [parseStat(text)] : []
  })
  return rows.flat()
}

/** Parses `/proc/<pid>/stat`; the name in parentheses may hold blanks and parentheses. Pure. */
export function parseStat(text: string): ProcessRow {
  const [state = '?', parent = '0', group = '0', session = '0'] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    state,
  }
}

/**
 * States of all threads of a process, as letters. The process's own state is only its first thread's; another one may
 * still be inside a write. Empty where the system does not tell, or when the process is gone.
 */
export async function threadStates(pid: number): Promise<string> {
  if (process.platform !== 'linux') return ''
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const states = await inBatches(threads, 32, async (thread) => {
    const text = await readProcLine(`/proc/${pid}/task/${thread}/stat`)
    return text ? parseStat(text).state : ''
  })
  return states.join('')
}

async function psTable(): Promise<readonly ProcessRow[]> {
  const { stdout } = await runCommand('/bin/ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { timeout: 10_000 })
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, group, state] = line.trim().split(/\s+/)
    if (!pid || !parent || !group || !state) return []
    return [
      { pid: Number(pid), parent: Number(parent), group: Number(group), session: 0, state: state.charAt(0) },
    ]
  })
}

/**
 * Processes whose environment carries `NAME=value`, so that what escaped its parents is found too.
 * Only this user's own are readable, and only on Linux; elsewhere the answer is empty.
 */
export async function processesWithVariable(
  table: readonly ProcessRow[],
  name: string,
  value: string,
): Promise<readonly number[]> {
  if (process.platform !== 'linux') return []
  const wanted = Buffer.from(`${name}=${value}\0`)
  const found = await inBatches(table, 64, async (row) => {
    const bytes = await readProcFile(`/proc/${row.pid}/environ`)
    const at = bytes?.indexOf(wanted) ?? -1
    return at === 0 || (at > 0 && bytes?.[at - 1] === 0) ? [row.pid] : []
  })
  return found.flat()
}
