import type { VolumePart } from '../../../../src-preload/contract/index.ts'
import { LABEL } from '../labels.ts'
import { type OwnVolume, planVolumes } from '../own-volumes.ts'

/** Pure: the volumes of a boot: the image's and the snapshot's, fresh and under names of their own. */
export function bootVolumes(
  id: string,
  imageVolumes: readonly string[],
  parts: readonly VolumePart[],
): readonly OwnVolume[] {
  return planVolumes(id, imageVolumes, [], parts).own.map((volume, at) => ({
    ...volume,
    name: `icebox-boot-${id}-${at}`,
  }))
}

/** Pure: the body of `POST /containers/create`: no network, nothing of this machine, no owner. */
export function bootBody(
  image: string,
  argv: readonly string[] | null,
  volumes: readonly OwnVolume[],
  labels: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return {
    Image: image,
    ...(argv ? { Entrypoint: [...argv], Cmd: [] } : {}),
    Tty: false,
    OpenStdin: false,
    // The check runs once, by itself; the engine need not run it again.
    Healthcheck: { Test: ['NONE'] },
    Labels: { ...labels, [LABEL.snapshot]: '', [LABEL.record]: '', [LABEL.snapshotRoot]: '' },
    HostConfig: {
      Init: true,
      NetworkMode: 'none',
      // One that can be read on every daemon, and that no check fills the disk with.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
      Mounts: volumes.map((volume) => ({
        Type: 'volume',
        Source: volume.name,
        Target: volume.destination,
        VolumeOptions: { NoCopy: volume.part !== null, Labels: labels },
      })),
    },
  }
}
