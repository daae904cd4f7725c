import manifest from '../../package.json' with { type: 'json' }

/** Icebox's own version. */
export const VERSION: string = manifest.version
