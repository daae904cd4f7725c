import type { LaunchPlan } from '../../src-main/backends/backend.ts'

/** A plan with nothing in it but what is given. */
export const launchPlan = (more: Partial<LaunchPlan> = {}): LaunchPlan => ({
  slug: 'web-1',
  runId: 'abc123xyz0',
  rootId: '6f1c2c3e-0000-4000-8000-1234567890ab',
  stateDir: '/nowhere/state/web-1',
  previous: null,
  image: { kind: 'image', reference: 'box:1' },
  argv: ['agent', '--go'],
  prompt: null,
  env: {},
  secrets: {},
  forgeEnv: {},
  user: null,
  workdir: null,
  mounts: [],
  resources: { cpus: null, memoryBytes: null },
  sidecars: [],
  network: 'default',
  copyCwd: null,
  tty: false,
  homeFiles: {},
  ...more,
})
