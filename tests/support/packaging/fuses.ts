import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { FUSES } from '../../../.electron-builder.config.ts'

const NAMES = {
  runAsNode: FuseV1Options.RunAsNode,
  enableCookieEncryption: FuseV1Options.EnableCookieEncryption,
  enableNodeOptionsEnvironmentVariable: FuseV1Options.EnableNodeOptionsEnvironmentVariable,
  enableNodeCliInspectArguments: FuseV1Options.EnableNodeCliInspectArguments,
  enableEmbeddedAsarIntegrityValidation: FuseV1Options.EnableEmbeddedAsarIntegrityValidation,
  onlyLoadAppFromAsar: FuseV1Options.OnlyLoadAppFromAsar,
  loadBrowserProcessSpecificV8Snapshot: FuseV1Options.LoadBrowserProcessSpecificV8Snapshot,
  grantFileProtocolExtraPrivileges: FuseV1Options.GrantFileProtocolExtraPrivileges,
} as const satisfies Record<keyof typeof FUSES, FuseV1Options>

/** Reads the fuses of a built program or `.app` and tells each that is not as configured; empty when all are. */
export async function wrongFuses(program: string): Promise<string[]> {
  const wire = await getCurrentFuseWire(program)
  return Object.entries(NAMES).flatMap(([name, at]) => {
    const wanted = FUSES[name as keyof typeof FUSES] ? FuseState.ENABLE : FuseState.DISABLE
    const found = wire[at]
    return found === wanted
      ? []
      : [
          `${name} is ${found === undefined ? 'absent' : (FuseState[found] ?? found)}, not ${FuseState[wanted]}`,
        ]
  })
}
