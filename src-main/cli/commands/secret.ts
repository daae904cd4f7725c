import { isEnvName } from '../../agents/names.ts'
import { createSecretStore, type SecretStore } from '../../state/secrets.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { askSecret } from '../ask.ts'
import type { Face } from '../face.ts'
import { readStdin } from '../run-flags.ts'
import { nonEmpty, usageError } from '../usage.ts'

/** `icebox secret set`: the value is asked for without echo, or read from stdin; it is never an argument. */
export async function secretSet(face: Face, given: string): Promise<number> {
  const name = secretName(given)
  const value =
    process.stdin.isTTY === true
      ? await askSecret(face, `Value of ${name}`)
      : // The newline that echo and editors put at the end is not part of a secret.
        (await readStdin(face.signal)).replace(/\r?\n$/, '')
  nonEmpty(`The value of ${name}`, value)
  await (await openStore()).set(name, value)
  await face.result({ json: { name, set: true }, text: `${name} is kept.`, essential: name })
  return 0
}

/** `icebox secret list`: names only. */
export async function secretList(face: Face): Promise<number> {
  const names = (await (await openStore()).list()).toSorted()
  await face.result({
    json: names,
    text: names.length === 0 ? 'No secret is kept.' : names.join('\n'),
    essential: names.join('\n'),
  })
  return 0
}

/** `icebox secret remove`. One that is not there is an error, since a typing mistake would leave the other. */
export async function secretRemove(face: Face, given: string): Promise<number> {
  const name = secretName(given)
  const store = await openStore()
  if (!(await store.list()).includes(name)) {
    throw bottleError('not-found', `No secret ${name} is kept. \`icebox secret list\` shows the names.`)
  }
  await store.remove(name)
  await face.result({ json: { name, removed: true }, text: `${name} is forgotten.`, essential: name })
  return 0
}

function secretName(given: string): string {
  if (given.includes('=')) {
    throw usageError(
      'Give the name only; the value is asked for, so that it stays out of your shell history.',
    )
  }
  if (isEnvName(given)) return given
  throw usageError(`A secret has a name such as API_KEY, not ${JSON.stringify(given.slice(0, 60))}.`)
}

async function openStore(): Promise<SecretStore> {
  return createSecretStore()
}
