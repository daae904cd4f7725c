import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, writeScriptAgent } from './bench.ts'

/**
 * Fills the state root up to this many bottles: copies of one that was really started and frozen, each with a
 * container of its own on the engine when `withContainers`. They are older than anything that runs.
 */
export async function fillHome(bench: Bench, count: number, withContainers: boolean): Promise<void> {
  const state = join(bench.home.dir, 'state')
  const have = (await readdir(state).catch(() => [])).length
  if (have >= count) return
  const template = await templateSlug(bench)
  const from = join(state, template)
  const metadata = await readFile(join(from, 'metadata.json'), 'utf8')
  const rootId = (await bench.home.rootId()) ?? ''
  const make = async (index: number) => {
    const slug = `copy-${bench.mark}-${index}`
    const runId = `c${String(index).padStart(9, '0')}`
    const container = withContainers ? await makeContainer(bench, { slug, runId, rootId }) : null
    await mkdir(join(state, slug))
    for (const name of ['snapshots', '.preserve', 'committed-image'])
      await cp(join(from, name), join(state, slug, name), { recursive: true })
    await writeFile(join(state, slug, 'metadata.json'), renamed(metadata, template, slug, runId, container))
  }
  const indexes = Array.from({ length: count - (await readdir(state)).length }, (_, at) => have + at)
  for (let at = 0; at < indexes.length; at += 8) await Promise.all(indexes.slice(at, at + 8).map(make))
}

async function templateSlug(bench: Bench): Promise<string> {
  const label = `template-${bench.mark}`
  const known: readonly string[] = await readdir(join(bench.home.dir, 'state')).catch(() => [])
  if (known.includes(label)) return label
  const agent = await writeScriptAgent(bench, 'template', 'box', ':')
  await bench.api.startHeadless(agent, { prompt: 'x', label, home: bench.home.dir })
  await bench.api.freeze(label, { home: bench.home.dir })
  return label
}

async function makeContainer(
  bench: Bench,
  owner: { slug: string; runId: string; rootId: string },
): Promise<string> {
  const Labels = {
    'dev.icebox.root': owner.rootId,
    'dev.icebox.slug': owner.slug,
    'dev.icebox.run': owner.runId,
  }
  const body = { Image: bench.image, Cmd: ['sh'], Labels }
  const { Id } = await bench.engine.call<{ Id: string }>(
    'POST',
    `/containers/create?name=bot-bottle-${owner.slug}`,
    body,
  )
  return Id
}

interface Run {
  id: string
  startedAt: string
  ref: { id: string; name: string; slug: string; runId: string; volumes: string[] } | null
}

/** The template's metadata as another bottle's. Pure. */
function renamed(
  metadata: string,
  template: string,
  slug: string,
  runId: string,
  container: string | null,
): string {
  const value = JSON.parse(metadata.replaceAll(template, slug)) as {
    started_at: string
    icebox: { runs: Run[]; volumes: string[] }
  }
  value.started_at = '2020-01-01T00:00:00.000Z'
  value.icebox.volumes = []
  for (const run of value.icebox.runs) {
    run.id = runId
    run.startedAt = value.started_at
    if (run.ref)
      run.ref = {
        ...run.ref,
        id: container ?? run.ref.id,
        name: `bot-bottle-${slug}`,
        slug,
        runId,
        volumes: [],
      }
  }
  return JSON.stringify(value)
}
