import type { AgentSample } from '../../../src-preload/contract/agents.ts'

/** True when the agent waits at an empty input line: nothing is asked and nothing is half typed. Pure. */
export function isIdle(sample: Pick<AgentSample, 'state' | 'reason'>): boolean {
  return sample.state === 'waiting' && sample.reason === null
}
