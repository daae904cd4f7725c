import { describe, expect, it } from 'vitest'
import { needsOf } from '../../support/prepare.ts'

const programs = (suites: readonly string[], isEngineThere: boolean) =>
  [...needsOf(suites, isEngineThere)].flatMap((need) => need.programs)

describe('what a run needs on the machine', () => {
  it('brings an engine where none answers, also where the docker command is there', () => {
    expect(programs(['faults'], false)).toEqual(expect.arrayContaining(['docker', 'dockerd']))
  })

  it('uses the engine that answers', () => {
    expect(programs(['faults'], true)).not.toContain('dockerd')
  })

  it('needs no engine for suites that use none', () => {
    expect(programs(['unit'], false)).toEqual([])
    expect(programs(['desktop'], false)).not.toContain('dockerd')
  })
})
