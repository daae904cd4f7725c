import { describe, expect, it } from 'vitest'
import { parseMachines } from '../../../../src-main/backends/smolmachines/decode.ts'
import { faultIn, smolError } from '../../../../src-main/backends/smolmachines/errors.ts'

const row = {
  ...{ name: 'bot-bottle-a', state: 'running', cpus: 4, memory_mib: 8192, pid: 12, mounts: 1, ports: 0 },
  ...{ created_at: 1_787_000_000, storage_gb: null, overlay_gb: null, image: 'docker.io/library/box:1' },
  ...{ entrypoint: [], cmd: ['sh'], ephemeral: false, gpu: false, network: true },
}

describe('machine ls --json', () => {
  it('is read in the shape without labels', () => {
    expect(parseMachines(JSON.stringify([row]))).toEqual([
      expect.objectContaining({
        ...{ name: 'bot-bottle-a', state: 'running', mounts: 1, hasNetwork: true, labels: null, cmd: ['sh'] },
        createdAt: '2026-08-17T20:53:20.000Z',
      }),
    ])
  })

  it('is read with labels, with text for a time, and with what a newer version adds', () => {
    const [machine] = parseMachines(
      JSON.stringify([
        {
          ...row,
          labels: { a: 'b=c' },
          created_at: '2026-08-17T20:53:20Z',
          image: null,
          state: 'dreaming',
          new: {},
        },
      ]),
    )
    expect(machine).toMatchObject({ labels: { a: 'b=c' }, image: null, state: 'dreaming' })
    expect(machine?.createdAt).toBe('2026-08-17T20:53:20.000Z')
  })

  it('is refused when it is no list: a table is never read', () => {
    for (const text of ['', 'No machines found', 'NAME  STATE\na  running', '{}'])
      expect(() => parseMachines(text)).toThrow(/no list of machines/)
  })
})

describe('errors', () => {
  it.each([
    ['Error: vm not found: a', 'not-found'],
    ["Error: config operation failed: machine status: machine 'a' not found", 'not-found'],
    [
      "Error: config operation failed: create machine: machine 'a' already exists or is being created",
      'exists',
    ],
    ['Error: database is locked', 'locked'],
    ['Error: write: No space left on device (os error 28)', 'disk-full'],
    [
      "Error: agent operation failed: pack from VM: VM 'a' is running. Stop it first with: smolvm machine stop",
      'must-stop',
    ],
    [
      "Error: agent operation failed: connect: machine 'a' is not running. Use 'smolvm machine start",
      'not-running',
    ],
    ["Error: VM 'a' was created from a local image (local:00). `pack create", 'local-image'],
    ["Error: machine 'c' is a fork clone of 'g'; it cannot be exported directly", 'clone'],
    ["error: unexpected argument '--x' found", 'grammar'],
    ['Error: something new', null],
  ])('%s', (text, fault) => expect(faultIn(text)).toBe(fault))

  it('become ours, with the engine’s own words as detail', () => {
    expect(smolError('make a machine', 1, 'Error: database is locked\n')).toMatchObject({
      ...{ code: 'busy', retryable: true, detail: 'Error: database is locked' },
    })
    expect(smolError('x', 2, "error: unexpected argument '--x' found").message).toContain('icebox doctor')
    expect(smolError('x', 1, 'No space left on device').code).toBe('disk-full')
  })
})
