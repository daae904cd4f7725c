import type { EngineReport } from '../../src-preload/contract/index.ts'
import type { Backend } from '../backends/backend.ts'

/** Asks every engine for its report, side by side. */
export async function readEngineReports(
  backends: readonly Backend[],
  signal: AbortSignal,
): Promise<readonly EngineReport[]> {
  const reports = await Promise.all(backends.map((backend) => backend.probe(signal)))
  return reports.map((report) => ({ ...report, reason: withoutFix(report.reason, report.fix) }))
}

/** The reason without its last sentence where that only names the command, which has a place of its own. Pure. */
export function withoutFix(reason: string | null, fix: string | null): string | null {
  if (reason === null || fix === null || !reason.endsWith(fix)) return reason
  const end = reason.slice(0, -fix.length).lastIndexOf('. ')
  return end < 0 ? reason : reason.slice(0, end + 1)
}
