/** Loaded when it is needed: most calls of a double neither hash nor name anything. */
const crypto = () => process.getBuiltinModule('node:crypto')

/** The SHA-256 of data in hexadecimal digits. */
export const sha256 = (data: Uint8Array): string => crypto().createHash('sha256').update(data).digest('hex')

/** A new UUID in small letters. */
export const newId = (): string => crypto().randomUUID()
