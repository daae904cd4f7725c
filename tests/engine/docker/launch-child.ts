import { text } from 'node:stream/consumers'
import type { LaunchPlan } from '../../../src-main/backends/backend.ts'
import { createDockerBackend } from '../../../src-main/backends/docker/docker-backend.ts'

// Launches the plan that comes on stdin; a fault point in the environment ends it midway.
const [, , home = '', rootId = ''] = process.argv
const plan = JSON.parse(await text(process.stdin)) as LaunchPlan
await createDockerBackend({ rootId, home }).launch(plan, () => undefined, new AbortController().signal)
