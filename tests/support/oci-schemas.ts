import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { OCI_SCHEMAS } from './prepare.ts'

export type OciKind = 'image-index' | 'image-layout' | 'image-manifest' | 'config'

/** Checks JSON against the specification's own schemas: an empty list, or what is wrong. */
export type OciCheck = (kind: OciKind, value: unknown) => readonly string[]

/** Loads the schemas as Debian installs them. */
export async function ociCheck(): Promise<OciCheck> {
  // The words of draft 4 that they use mean the same today, but for the name of the id.
  const ajv = new Ajv({ strict: false, allErrors: true })
  ajv.addFormat('date-time', (text) => !Number.isNaN(Date.parse(text)))
  ajv.addFormat('uri', (text) => URL.canParse(text))
  for (const name of await readdir(OCI_SCHEMAS)) {
    if (!name.endsWith('.json')) continue
    const schema = JSON.parse(await readFile(join(OCI_SCHEMAS, name), 'utf8'), dropIds) as object
    ajv.addSchema({ ...schema, $id: `https://oci.test/${name}` })
  }
  return (kind, value) => {
    const validate = ajv.getSchema(`https://oci.test/${kind}-schema.json`)
    if (!validate) throw new Error(`there is no schema for ${kind}`)
    validate(value)
    return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`)
  }
}

function dropIds(key: string, value: unknown): unknown {
  return key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value
}
