import { describe, expect, it } from 'vitest'
import {
  gatesOf,
  isAtLeast,
  limitsOf,
  parseVersion,
  showVersion,
} from '../../../../src-main/backends/macos-container/versions.ts'

const version = (text: string) => {
  const found = parseVersion(`container CLI version ${text} (build: release, commit: 1a2b3c4)`)
  if (!found) throw new Error(`no version in ${text}`)
  return found
}

describe('parseVersion', () => {
  it('reads the release out of the sentence', () => {
    expect(version('1.2.2')).toEqual({ major: 1, minor: 2, patch: 2 })
    expect(showVersion(version('0.12.3'))).toBe('0.12.3')
  })
  it('takes a development build for newer than any release', () => {
    expect(isAtLeast(version('0.0.0'), '99.0.0')).toBe(true)
    expect(showVersion(version('0.0.0'))).toBe('development build')
  })
  it('finds none in the words of another program', () => {
    expect(parseVersion('container 3')).toBeNull()
    expect(parseVersion('')).toBeNull()
  })
})

describe('isAtLeast', () => {
  it('compares numbers, not text', () => {
    expect(isAtLeast(version('0.12.3'), '0.9.0')).toBe(true)
    expect(isAtLeast(version('1.2.10'), '1.2.9')).toBe(true)
    expect(isAtLeast(version('1.2.0'), '1.2.1')).toBe(false)
    expect(isAtLeast(version('2.0.0'), '1.9.9')).toBe(true)
  })
})

describe('gatesOf', () => {
  it('knows which releases export what runs', () => {
    const live = ['0.12.3', '1.0.0', '1.2.0', '1.2.1', '1.2.2', '0.0.0'].map(
      (text) => gatesOf(version(text)).liveExport,
    )
    expect(live).toEqual([false, false, false, true, true, true])
  })
  it('knows which can freeze at all', () => {
    expect(gatesOf(version('0.10.0')).exportsTar).toBe(false)
    expect(gatesOf(version('0.11.0')).exportsTar).toBe(true)
  })
  it('tells in words that an older release has to stop a bottle', () => {
    expect(limitsOf(gatesOf(version('1.2.0')))[0]).toMatch(/stop a running bottle/)
    expect(limitsOf(gatesOf(version('1.2.1'))).join(' ')).not.toMatch(/stop a running bottle/)
  })
})
