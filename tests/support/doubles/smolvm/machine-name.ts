const LONGEST = 128

/** Why a name can't be one, or null. Source: cli-contracts.md §2.3. */
export function nameProblem(name: string): string | null {
  const label = 'machine name'
  if (name === '') return `${label} cannot be empty`
  if (Buffer.byteLength(name) > LONGEST)
    return `${label} too long: ${Buffer.byteLength(name)} characters (max ${LONGEST})`
  if (!/^[a-zA-Z0-9]/.test(name))
    return `${label} must start with a letter or digit (got: ${JSON.stringify(name)})`
  if (name.endsWith('-')) return `${label} cannot end with a hyphen (got: ${JSON.stringify(name)})`
  for (let at = 0; at < name.length; at += 1) {
    const letter = name[at] ?? ''
    if (letter === '-' && name[at - 1] === '-') return `${label} cannot contain consecutive hyphens`
    if (/[a-zA-Z0-9_-]/.test(letter)) continue
    if (letter === '/' || letter === '\\') return `${label} cannot contain path separators`
    return `${label} contains invalid character: '${letter}'`
  }
  return null
}
