import { randomBytes } from 'node:crypto'
import { stopGuest } from '../lib/guest.ts'
import { type Context, guestOf, say, tell } from './context.ts'
import { makeMachine } from './create.ts'
import { runCommandIn } from './exec.ts'
import { configFailure } from './failure.ts'
import { findMachine, forgetMachine, pidOf, vmDirOf } from './machines.ts'
import { bringUp } from './start.ts'

/** `machine run`: ephemeral, unless it is left running under a name. Returns the exit code. @throws Failure */
export async function runMachine(context: Context): Promise<number> {
  const { call } = context
  if (!call.has('detach')) return runEphemeral(context)
  const name = call.one('name') ?? `vm-${randomBytes(4).toString('hex')}`
  if (findMachine(context.dir, name))
    throw configFailure(
      'run',
      `a machine named '${name}' already exists. Use 'machine start --name ${name}' to start it`,
    )
  const machine = await makeMachine(context, name, { isEphemeral: false })
  await bringUp(context, machine)
  say(context, `Machine '${name}' running (PID: ${pidOf(context.dir, name)})`)
  return 0
}

/** A machine that is made, runs one command and is gone. @throws Failure */
export async function runEphemeral(context: Context): Promise<number> {
  const name = `run-${process.pid}-${randomBytes(4).toString('hex')}`
  const made = await makeMachine(context, name, { isEphemeral: true })
  try {
    // The command is run by hand below; what the image would start is not wanted as well.
    tell(context, `Starting machine '${name}'...`)
    const machine = await bringUp(context, { ...made, entrypoint: [], cmd: ['true'] })
    const own = { ...machine, entrypoint: made.entrypoint, cmd: made.cmd }
    const config = own.imageConfig
    const defaults = [...own.entrypoint, ...own.cmd]
    const image = [...(config?.entrypoint ?? []), ...(config?.cmd ?? [])]
    const argv = context.call.rest.length > 0 ? context.call.rest : defaults.length > 0 ? defaults : image
    if (argv.length === 0) return 0
    return await runCommandIn(context, own, argv)
  } finally {
    stopGuest(guestOf(context.dir, vmDirOf(context.dir, name)), { graceMs: 0 })
    forgetMachine(context.dir, name)
  }
}
