/**
 * Values of secrets, outside the state root, so that no snapshot, backup or export of the root ever holds one.
 * All methods throw BottleError; no error text holds a value.
 */
export interface SecretStore {
  /** The value, or undefined when there is none. */
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** Names only, sorted. */
  list(): Promise<readonly string[]>
  /** False when there was none. */
  remove(name: string): Promise<boolean>
}
