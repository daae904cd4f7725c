import { copyFile, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { World } from './fault-world.ts'
import { listOnEngine } from './ledger.ts'
import { emptyStore, fileDigest, storeProblems } from './store-check.ts'

/** One bottle with two snapshots, and what an undisturbed export of the newer one looks like. */
export interface ArtifactScene {
  readonly world: World
  readonly slug: string
  /** Holds `one`. */
  readonly first: string
  /** Holds `one` and `two`; the current one. */
  readonly second: string
  /** The archive of `second`, made before anything was disturbed. */
  readonly reference: string
  readonly digest: string
  /** A path in a folder of the test's own, outside the state root's parts. */
  path(name: string): string
}

/** Freezes twice and exports once; the store is empty again afterwards. */
export async function makeArtifactScene(world: World): Promise<ArtifactScene> {
  const { home } = world
  const slug = await world.start('one')
  const first = await freeze(world, slug)
  await home.must(['resume', slug, '--headless', '--prompt', 'two'])
  const second = await freeze(world, slug)
  const path = (name: string) => join(home.dir, 'cwd', name)
  const reference = path('reference.bottle')
  await home.must(['export', slug, '-o', reference])
  await emptyStore(home.dir)
  return { world, slug, first, second, reference, digest: await fileDigest(reference), path }
}

export async function freeze(world: World, slug: string): Promise<string> {
  const { json } = await world.home.must(['freeze', slug])
  return (json as { readonly snapshot: { readonly id: string } }).snapshot.id
}

/** Files beside a target that an export of it began. */
export async function partialsOf(target: string): Promise<readonly string[]> {
  const names = await readdir(dirname(target))
  return names.filter((name) => name.startsWith(`${basename(target)}.`))
}

/** What proofs of restore and transfers have on the engine; nothing of it is to outlive them. */
export async function engineScraps(rootId: string): Promise<readonly string[]> {
  const boots = { label: [`dev.icebox.boot=${rootId}`] }
  const [containers, { Volumes: volumes }, images] = await Promise.all([
    listOnEngine('/containers/json?all=1', boots),
    listOnEngine<{ readonly Volumes: readonly { readonly Name: string }[] | null }>('/volumes', boots),
    listOnEngine('/images/json', {}),
  ])
  return [
    ...containers.map(({ Id, Names }) => `container ${Names?.[0] ?? Id}`),
    ...(volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ...images
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((tag) => tag.includes(`/icebox-transfer/${rootId}/`))
      .map((tag) => `image ${tag}`),
  ]
}

/** Everything that recovery owes, of bottles, engine and store. */
export async function allProblems({ world }: Pick<ArtifactScene, 'world'>): Promise<readonly string[]> {
  const rootId = await world.home.rootId()
  const scraps = world.kind === 'docker' && rootId !== undefined ? await engineScraps(rootId) : []
  return [...(await world.problems()), ...scraps, ...(await storeProblems(world.home.dir))]
}

/** Exports again and tells whether the file is what an undisturbed export gives. */
export async function exportsTheSame(scene: ArtifactScene, name: string): Promise<boolean> {
  const file = scene.path(name)
  await scene.world.home.must(['export', `${scene.slug}@${scene.second}`, '-o', file, '--force'])
  return (await fileDigest(file)) === scene.digest
}

/** A copy of the reference archive under another name, from which an import makes the slug. */
export async function copyReference(scene: ArtifactScene, name: string): Promise<string> {
  const file = scene.path(name)
  await copyFile(scene.reference, file)
  return file
}
