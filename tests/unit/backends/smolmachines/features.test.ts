import { describe, expect, it } from 'vitest'
import { isAtLeast, parseVersion, readFeatures } from '../../../../src-main/backends/smolmachines/features.ts'
import { limitsOf } from '../../../../src-main/backends/smolmachines/probe.ts'

const help = (text: string) => ({ machine: text, create: text, exec: text, pack: text })

describe('version', () => {
  it('is read from the program’s own word', () => {
    expect(parseVersion('smolvm 1.23.0\n')).toEqual([1, 23, 0])
    expect(parseVersion('smolvm v1.9.3 (abc)')).toEqual([1, 9, 3])
    expect(parseVersion('SmolVM, version 0.0.12')).toBeNull()
    expect(parseVersion('')).toBeNull()
  })

  it('is compared by number', () => {
    expect(isAtLeast([1, 10, 0], [1, 9, 3])).toBe(true)
    expect(isAtLeast([1, 9, 3], [1, 9, 3])).toBe(true)
    expect(isAtLeast([1, 0, 1], [1, 0, 2])).toBe(false)
  })
})

describe('features', () => {
  it('come from help texts, whole words at the start of a line', () => {
    const found = readFeatures(
      [1, 20, 0],
      help('  checkpoint  Save\n  -n, --name <N>\n      --label <K=V>\n'),
    )
    expect(found).toMatchObject({ checkpoint: true, hasNameFlag: true, labels: true, pause: false })
    const none = readFeatures(
      [1, 20, 0],
      help('  checkpoint-log  Show\n      --labelled\n      Set the --name of it\n      --user-data <F>\n'),
    )
    expect(none).toMatchObject({ labels: false, hasNameFlag: false, createUser: false })
  })

  it('tell a command from one that begins like it', () => {
    expect(readFeatures([1, 20, 0], help('  checkpoint-log  Show\n')).checkpoint).toBe(false)
  })

  it('that no help tells follow the version', () => {
    expect(readFeatures([1, 0, 2], help('')).localImages).toBe(false)
    expect(readFeatures([1, 9, 3], help('')).packsLocalImages).toBe(false)
    expect(readFeatures([1, 10, 0], help('')).packsLocalImages).toBe(true)
    expect(readFeatures([1, 22, 2], help('')).pullsWithoutNetwork).toBe(false)
  })

  it('that are missing are told in sentences', () => {
    const limits = limitsOf(readFeatures([1, 0, 1], help(''))).join(' ')
    expect(limits).toContain('Freezing stops a running bottle')
    expect(limits).toContain('no labels')
    const few = limitsOf(
      readFeatures(
        [1, 23, 0],
        help('  checkpoint  Save\n      --label <K=V>\n      --user <U>\n      --include-workspace\n'),
      ),
    )
    expect(few.join(' ')).not.toContain('Freezing stops a running bottle and')
    expect(few).toHaveLength(2)
  })
})
