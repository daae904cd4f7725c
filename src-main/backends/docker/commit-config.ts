import type { ContainerInspectInfo } from 'dockerode'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { DockerFacts } from './docker-facts.ts'
import { LABEL } from './labels.ts'

/**
 * Pure: the config with which a container is committed. What it leaves out comes from the container. For our own
 * containers the wrapper is taken out again, so that the image runs by itself as its base did; owner labels are
 * blanked (a commit can't remove them), or a plain `docker run` of the image would pass for a bottle.
 */
export function commitBody(
  found: ContainerInspectInfo,
  facts: Pick<DockerFacts, 'base' | 'userOverridden'>,
  record: Snapshot,
  rootId: string,
): Record<string, unknown> {
  const { base } = facts
  return {
    Labels: {
      [LABEL.root]: '',
      [LABEL.slug]: '',
      [LABEL.run]: '',
      [LABEL.role]: '',
      [LABEL.snapshot]: record.id,
      [LABEL.record]: JSON.stringify(record),
      [LABEL.snapshotRoot]: rootId,
    },
    ...(base
      ? {
          Entrypoint: base.entrypoint ?? [],
          Cmd: base.cmd ?? [],
          // Empty would mean the container's own here; these are what empty stands for.
          WorkingDir: base.workdir || '/',
          User: base.user || (facts.userOverridden ? '0' : (found.Config.User ?? '')),
        }
      : {}),
  }
}
