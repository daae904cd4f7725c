import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OperationContext } from '../../src-main/bottles/services.ts'
import { createIcebox, type Icebox } from '../../src-main/icebox.ts'
import { type IceboxHome, makeIceboxHome } from './icebox-home.ts'

/** A core of a test's own on a fresh state root, with an agent whose prompt is a shell script. */
export interface TestBottles {
  readonly home: IceboxHome
  readonly icebox: Icebox
  /** Sentences that operations told. */
  readonly notices: string[]
  context(options?: { readonly signal?: AbortSignal; readonly confirm?: boolean }): OperationContext
  /** Starts `sh -c script` headless and waits for its end. */
  run(script: string, label?: string): Promise<{ slug: string; exitCode: number | null }>
  /** Starts `sh -c script` headless and returns as soon as it runs; `ended` resolves at its end. */
  launch(script: string, label?: string): Promise<{ slug: string; ended: Promise<number | null> }>
  resume(target: string, script: string): Promise<number | null>
  output(slug: string): Promise<string>
  /** Destroys and purges every bottle, unless their whole engine is thrown away, then removes the folder. */
  dispose(options?: { readonly isEngineThrownAway?: boolean }): Promise<void>
}

export const SHELL_AGENT = `
provider: custom
bottle: box
command:
  headless: [sh, -c, "{prompt}"]
  interactive: [sh]
  resume: [sh, -c, "{prompt}"]
`

/**
 * @param bottle frontmatter of the bottle definition `box`
 * @param base where the state root is made; default the temp folder
 * @param env environment of the core, as with a double of an engine on its PATH; default this process's
 */
export async function makeTestBottles(
  bottle: string,
  base = tmpdir(),
  env: NodeJS.ProcessEnv = process.env,
): Promise<TestBottles> {
  const home = await makeIceboxHome(await mkdtemp(join(base, 'icebox-test-')))
  await home.writeAgent('shell', SHELL_AGENT)
  await home.writeBottle('box', bottle)
  const icebox = await createIcebox({ home: home.dir, env: { ...env, ICEBOX_HOME: home.dir } })
  const notices: string[] = []
  const context: TestBottles['context'] = (options = {}) => ({
    signal: options.signal ?? new AbortController().signal,
    progress: () => undefined,
    notice: (text) => notices.push(text),
    confirm: async () => options.confirm ?? true,
  })
  const cwd = join(home.dir, 'cwd')
  const launch: TestBottles['launch'] = (script, label = 'box') =>
    new Promise((resolve, reject) => {
      const ended: Promise<number | null> = icebox.bottles
        .start(
          {
            agent: 'shell',
            mode: 'headless',
            prompt: script,
            label,
            cwd,
            onLaunched: ({ slug }) => resolve({ slug, ended }),
          },
          context(),
        )
        .then(({ exitCode }) => exitCode)
      ended.catch(reject)
    })
  return {
    home,
    icebox,
    notices,
    context,
    launch,
    async run(script, label) {
      const { slug, ended } = await launch(script, label)
      return { slug, exitCode: await ended }
    },
    async resume(target, script) {
      const [slug = '', snapshot] = target.split('@')
      const { exitCode } = await icebox.bottles.resume(
        { slug, snapshot, mode: 'headless', prompt: script },
        context(),
      )
      return exitCode
    },
    async output(slug) {
      const chunks: Uint8Array[] = []
      for await (const chunk of icebox.bottles.logs(slug, {}, new AbortController().signal))
        chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    },
    async dispose({ isEngineThrownAway = false } = {}) {
      if (!isEngineThrownAway) {
        for (const { slug } of await icebox.bottles.list(new AbortController().signal)) {
          await icebox.bottles.destroy({ slug, purge: true, force: true }, context())
        }
        await icebox.bottles.emptyTrash(context())
      }
      await icebox.close()
      await home.remove()
    },
  }
}
