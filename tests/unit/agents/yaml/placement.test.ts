import { describe, expect, it } from 'vitest'
import { hostIdentity } from '../../../../src-main/agents/yaml/host-identity.ts'
import { readAgent, v2, v3, validAgent } from './yaml-agent.ts'

const said = async (text: string): Promise<string> =>
  (await readAgent(text)).problems
    .map(({ line, message, hint }) => `${line}: ${message}${hint ? ` ${hint}` : ''}`)
    .join('\n')

describe('hosts', () => {
  it(`one agent per host: the id takes the host’s name, once, and \${HOSTNAME} is filled in`, async () => {
    const text = v3(`hosts: all\nenv: {WHERE: "on \${HOSTNAME}"}\nscreen: {name: "w-\${HOSTNAME}"}`)
    const agent = await validAgent(text)
    expect(agent).toMatchObject({ name: 'worker-box', ownBottle: { env: { WHERE: 'on box' } } })
    expect(agent.lifecycle.screenName).toBe('w-box')
    const again = await validAgent(text, { foundAs: 'worker-box', folderName: 'worker-box' })
    expect(again.name).toBe('worker-box')
  })

  it(`\${HOSTNAME} stays where the file does not ask for it`, async () => {
    const agent = await validAgent(v3(`env: {WHERE: "on \${HOSTNAME}"}`))
    expect(agent.ownBottle?.env).toEqual({ WHERE: `on \${HOSTNAME}` })
  })

  it('a pin keeps the bare id; any name of this machine counts; an empty one is nobody', async () => {
    expect(await validAgent(v3('host: [other, BOX.example.org]'))).toMatchObject({
      name: 'worker',
      refusals: [],
    })
    expect(await validAgent(v3('host: ""'))).toMatchObject({ refusals: [] })
    expect(await said(v3('host: [""]'))).toContain('An empty name is not a host.')
    expect(await said(v3('host: box\nhosts: all'))).toContain('exclude each other')
  })

  it('v2 scheduling: per host by default, a singleton keeps its id', async () => {
    expect((await validAgent(v2('scheduling: {}'))).name).toBe('worker-box')
    expect((await validAgent(v2('model: opus'))).name).toBe('worker')
    const single = await validAgent(
      v2('scheduling: {mode: singleton, preferred-host: far, fallback-hosts: [box]}'),
    )
    expect(single).toMatchObject({ name: 'worker', refusals: [expect.stringContaining('runs on far')] })
    expect(await said(v3('scheduling: {}'))).toContain('`scheduling` belongs to v2')
    expect(await said(v2('hosts: all'))).toContain('`hosts` belongs to v3')
  })

  it('a machine without a name can’t have an agent per host', async () => {
    const host = hostIdentity({ hostname: '', override: ' ', aliasOf: {}, aliases: [] })
    const { problems } = await readAgent(v3('hosts: all'), { host })
    expect(problems.map(({ message }) => message)).toContain(
      'This machine has no name, which an agent per host needs.',
    )
    expect(host.names.has('')).toBe(false)
  })

  it('the canonical name: the variable, else the alias of the short name, else that name', () => {
    const sources = { hostname: 'n1.cluster', override: 'chosen', aliasOf: { n1: 'mba' }, aliases: ['Old'] }
    expect(hostIdentity(sources).canonical).toBe('chosen')
    expect(hostIdentity({ ...sources, override: undefined }).canonical).toBe('mba')
    expect(hostIdentity({ ...sources, override: '', aliasOf: {} }).canonical).toBe('n1')
    expect([...hostIdentity(sources).names]).toEqual(
      expect.arrayContaining(['localhost', '127.0.0.1', '::1', 'n1.cluster', 'n1', 'mba', 'chosen', 'old']),
    )
  })
})
