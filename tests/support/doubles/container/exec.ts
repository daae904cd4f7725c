import { runInGuest } from '../lib/guest.ts'
import type { Parsed } from './arguments.ts'
import { optionOf } from './arguments.ts'
import { endOf } from './attach.ts'
import { askedEnv, askedUser } from './create.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import { getContainer, guestOf, stateOf } from './record.ts'
import { guestCommand } from './run-guest.ts'

/** A further process in a running container, with the first one's environment, user and folder. */
export async function exec(engine: Engine, parsed: Parsed): Promise<number> {
  engine.needService()
  const id = parsed.positional[0] ?? ''
  const record = getContainer(engine, id)
  if (stateOf(engine, id) !== 'running')
    throw new ContainerError('invalidState', `container ${id} is not running`)
  const isDetached = parsed.flags.has('detach')
  if (parsed.flags.has('tty') && !isDetached && !process.stdin.isTTY)
    throw new ContainerError('invalidState', 'the input device is not a terminal')
  const guest = guestOf(engine, id)
  const command = guestCommand(guest.root, {
    argv: parsed.rest,
    environment: askedEnv(parsed, record.environment),
    user: askedUser(parsed) ?? record.user,
    workingDirectory: optionOf(parsed, 'workdir') ?? record.workingDirectory,
  })
  if (isDetached) {
    runInGuest(guest, command, { stdio: 'ignore', detached: true }).unref()
    engine.print(id)
    return 0
  }
  // Keys on a terminal are the guest's business.
  if (parsed.flags.has('tty')) process.on('SIGINT', () => undefined)
  const input = parsed.flags.has('interactive') ? 'inherit' : 'ignore'
  return endOf(runInGuest(guest, command, { stdio: [input, 'inherit', 'inherit'] }))
}
