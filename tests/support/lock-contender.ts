import { appendFile, readFile, rm } from 'node:fs/promises'
import { writeDurable } from '../../src-main/state/durable-file.ts'
import { withLock } from '../../src-main/state/lock.ts'
import { openStateRoot } from '../../src-main/state/root.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from '../../src-main/system/process-identity.ts'

// A process that counts under the lock: node lock-contender.ts HOME ROUNDS [DIE_AT]. In round DIE_AT it kills
// itself while it holds the lock, between reading the counter and writing it.
const [home = '', rounds = '0', dieAt = '0'] = process.argv.slice(2)

const root = await openStateRoot(home)
const counter = root.path('counter')
const marker = root.path('inside')
const own = await ownIdentity()
for (let round = 1; round <= Number(rounds); round++) {
  await withLock(root, 'web', { operation: `round ${round}`, waitMs: 240_000 }, async () => {
    await enter()
    const count = Number(await readFile(counter, 'utf8'))
    if (round === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
    await writeDurable(counter, String(count + 1))
    await appendFile(root.path('ledger'), `${count + 1} ${process.pid}\n`)
    await rm(marker)
  })
}

/** Marks that somebody is inside. A mark that is there already may only be a dead one's. */
async function enter(): Promise<void> {
  const text = await readFile(marker, 'utf8').catch(() => '')
  if (text && (await isAlive(JSON.parse(text) as ProcessIdentity))) {
    await appendFile(root.path('violations'), `${process.pid} found ${text}\n`)
  }
  await writeDurable(marker, JSON.stringify(own))
}
