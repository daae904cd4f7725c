import { chmodSync, chownSync, closeSync, existsSync, lstatSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { resolveInRoot } from '../lib/in-root.ts'
import { runningMachine } from './checkpoint.ts'
import { type Context, strikingWrite, tell } from './context.ts'
import { agentFailure, configFailure, type Failure } from './failure.ts'
import { liveRoot } from './guest-run.ts'

const LARGEST = 4 * 2 ** 30

/** `machine cp`: one file, into or out of a running machine. @throws Failure */
export function copyFile(context: Context): void {
  const { call } = context
  const from = call.positional('SRC') ?? ''
  const to = call.positional('DST') ?? ''
  const isUpload = !from.includes(':')
  const named = isUpload ? to : from
  const at = named.indexOf(':')
  if (at < 0)
    throw configFailure('cp', 'one of SRC or DST must use machine:path syntax (e.g., myvm:/workspace/file)')
  const given = ['mode', 'uid', 'gid'].some((option) => call.has(option))
  if (!isUpload && given)
    throw configFailure('cp', '--mode/--uid/--gid apply to uploads only (host -> machine)')
  const mode = call.one('mode')
  if (mode !== undefined && !/^(0o)?[0-7]{1,4}$/.test(mode))
    throw configFailure('cp', `invalid octal mode '${mode}' (expected e.g. 644)`)
  const machine = runningMachine(context, named.slice(0, at))
  const inside = resolveInRoot(liveRoot(context.dir, machine.name), named.slice(at + 1))
  const source = isUpload ? from : inside
  const target = isUpload ? inside : to
  const told = isUpload ? 'read local file' : 'read file'
  if (!existsSync(source)) throw missing(told, isUpload ? from : named.slice(at + 1))
  const stat = lstatSync(source)
  if (!stat.isFile()) throw agentFailure(told, `${isUpload ? from : named.slice(at + 1)}: not a regular file`)
  if (stat.size > LARGEST) throw agentFailure(told, 'file exceeds the 4 GiB limit')
  if (!existsSync(dirname(target))) throw missing('write file', isUpload ? named.slice(at + 1) : to)
  tell(
    context,
    isUpload ? `Uploading ${from} -> ${named.slice(at + 1)}` : `Downloading ${named.slice(at + 1)} -> ${to}`,
  )
  const file = openSync(target, 'w', 0o644)
  try {
    strikingWrite(context, 'write file')(file, readFileSync(source))
  } finally {
    closeSync(file)
  }
  if (!isUpload) return
  if (mode !== undefined) chmodSync(target, Number.parseInt(mode.replace(/^0o/, ''), 8))
  if (call.has('uid') || call.has('gid'))
    chownSync(target, Number(call.one('uid') ?? 0), Number(call.one('gid') ?? 0))
}

function missing(operation: string, path: string): Failure {
  return agentFailure(operation, `${path}: No such file or directory (os error 2)`)
}
