import { chmodSync, rmSync, symlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

const at = (path: string) => resolve(import.meta.dirname, path)

/**
 * The command is also run by its path, so its file must be a program; and as `npx icebox` in this repository, for
 * which npm links the bins of dependencies but not the package's own.
 */
const executableCli = {
  name: 'icebox:executable-cli',
  writeBundle() {
    chmodSync(at('out/main/cli.js'), 0o755)
    const link = at('node_modules/.bin/icebox')
    rmSync(link, { force: true })
    symlinkSync('../../out/main/cli.js', link)
  },
}

/** A module that says no when it is used, whatever it is used as. */
const refusal = (what: string) =>
  `const no = () => { throw new Error('${what} is not part of this build') }; module.exports = new Proxy(no, { get: () => no })`

/**
 * Parts of the Docker library that the build replaces: gRPC and SSH alone would cost a command half of its time.
 * Why each may go: docs/decisions/0032-what-a-command-loads.md
 */
const REPLACED: readonly { readonly by: RegExp; readonly names: readonly string[]; readonly code: string }[] =
  [
    {
      by: /dockerode\/lib\/docker\.js$/,
      names: ['./session'],
      code: `module.exports = (docker, auth, done) => done(new Error('BuildKit is not part of this build'))`,
    },
    { by: /dockerode\/lib\/docker\.js$/, names: ['./buildkit'], code: refusal('BuildKit') },
    {
      by: /dockerode\/lib\/util\.js$/,
      names: ['tar-fs', '@balena/dockerignore'],
      code: refusal('A build from a folder'),
    },
    { by: /docker-modem\/lib\/modem\.js$/, names: ['./ssh'], code: refusal('SSH') },
    // Each request would be described for a log that nobody reads.
    { by: /docker-modem\/lib\/modem\.js$/, names: ['debug'], code: 'module.exports = () => () => undefined' },
    { by: /docker-modem\/lib\/modem\.js$/, names: ['util'], code: `exports.inspect = () => ''` },
    // Reads Node's list of ciphers when it loads, and our own agent opens the connections.
    { by: /docker-modem\/lib\/http\.js$/, names: ['https'], code: 'module.exports = {}' },
  ]

const REPLACEMENT = 'icebox-replacement:'

const replacedParts = {
  name: 'icebox:replaced-parts',
  enforce: 'pre' as const,
  // In the text, not while resolving: names of Node's own modules are taken out before any plugin is asked.
  transform(text: string, id: string) {
    const path = id.split('?', 1)[0] ?? id
    let code = text
    for (const [at, { by, names }] of REPLACED.entries()) {
      if (!by.test(path)) continue
      const quoted = names.flatMap((name) => [`'${name}'`, `"${name}"`]).map((name) => `require(${name})`)
      const found = quoted.filter((call) => code.includes(call))
      if (found.length === 0) throw new Error(`${path} does not ask for ${names.join(' or ')} any more`)
      for (const call of found) code = code.replaceAll(call, `require('${REPLACEMENT}${at}')`)
    }
    return code === text ? null : { code, map: null }
  },
  resolveId: (source: string) => (source.startsWith(REPLACEMENT) ? `\0${source}.cjs` : null),
  load(id: string) {
    const at = id.startsWith(`\0${REPLACEMENT}`) ? Number.parseInt(id.slice(REPLACEMENT.length + 1), 10) : -1
    return REPLACED[at]?.code ?? null
  },
}

/** What `icebox list` loads, in a few files instead of thirty. None of it may reach a package. */
const LIST_PATH = [
  {
    name: 'records',
    test: /src-main\/(system|state)\/(bottle-error|fault|run-command|process-identity|builtin-http|changes|durable-file|intent|journal|lock|metadata|root|runtime-ref|slug|snapshot-files)\.ts$|src-preload\/contract\/errors\.ts$/,
  },
  {
    name: 'list-bottles',
    test: /src-main\/(icebox|bottles\/(create-artifacts|create-bottles|read-bottles|read-slugs|state-model)|backends\/(registry|freezer))\.ts$/,
  },
  {
    name: 'list-docker',
    test: /src-main\/backends\/docker\/(docker-backend|docker-list|docker-freezer|engine|engine-errors|engine-http|endpoint|labels)\.ts$/,
  },
  {
    name: 'list-host',
    test: /src-main\/backends\/(host\/(host-backend|host-freezer|host-context|isolation|list-runs|paths|run-record)|local\/(find-program|in-batches|run-result))\.ts$/,
  },
  {
    name: 'list-command',
    test: /src-main\/cli\/(main|quick|face|session|ask|usage|table|width|failures|units|bytes|commands\/list)\.ts$/,
  },
]

/**
 * What start, resume, fork, freeze and destroy load, in six files instead of ninety: to find, read and link a small file takes longer
 * than to read past what one command of them does not need. Only what all of such commands need, and nothing of a package.
 */
const WORK_PATH = [
  {
    name: 'program',
    test: /src-main\/cli\/(program|version|define\/[a-z-]+)\.ts$/,
  },
  {
    name: 'work-shared',
    test: /src-main\/(backends\/(merge-files|guest\/shell-quote|local\/(agent-paths|multiplexer))|bottles\/run-logs|state\/trash)\.ts$/,
  },
  {
    name: 'work-docker',
    test: /src-main\/backends\/(docker\/(find-runtime|docker-facts|docker-ignore|image-source|json-lines|remove-objects|remove-run|logs|container-files|run-life|access-(place|scripts|read|write)|look-in-container|run-in-container|merge-docker-files|run-plan|own-volumes|terminal-size|container-config|unit|data-root|capture(-scene|-volumes|-state)?|commit-config|flatten|changed|preflight|deliver-files|sidecars|launch|undo)|guest\/(home-files|run-files|tar-pack))\.ts$/,
  },
  {
    name: 'work-host',
    test: /src-main\/backends\/(host\/(?!portable\/)|local\/)[a-z-]+\.ts$/,
  },
  {
    name: 'work-after',
    test: /src-main\/(bottles\/(recover|withdraw-workspace|run-lifecycle|known-session|keep-session|hooks\/(bottle-hooks|after-lock)|settle|find-runtime|freeze|call-off|confirm-stop|space-guard)|state\/(remove-tree|settings(-definition|-migrations|-file)?)|agents\/(sessions\/(capture-session|session-files)|status\/workspace-facts|launched-agent|lifecycle|redact|workspace\/[a-z-]+|hooks\/hook-environment)|artifacts\/scrub\/rules|system\/disk-space)\.ts$/,
  },
  {
    name: 'work-run',
    test: /src-main\/(cli\/(run-agent|run-flags|detach-keys|terminal|agent-flag|finish-run|plan-text|pairs|agree)|agents\/([a-z-]+|sessions\/(capabilities|plan-session)|yaml\/(yaml-files|env-templates)|images\/provider-images|turns\/turns-(script|command))|bottles\/(carried-definitions|hooks\/launch-hooks|run-order|leftovers|pin-image|run-needs|prepare-run|default-engine|run-id|launch-new|reserve-slug|adopt-committed)|state\/(secret-(file|keychain|names)|secrets|short-lock))\.ts$/,
  },
].map((group) => ({ ...group, includeDependenciesRecursively: false }))

export default defineConfig({
  main: {
    // Fault points end processes on purpose; a release has none.
    define: { __ICEBOX_FAULTS__: JSON.stringify(process.env.ICEBOX_RELEASE !== '1') },
    plugins: [replacedParts, executableCli],
    build: {
      sourcemap: true,
      rolldownOptions: {
        input: {
          index: at('src-main/index.ts'),
          serve: at('src-main/serve.ts'),
          cli: at('src-main/cli.ts'),
          api: at('src-main/api.ts'),
          worker: at('src-main/worker.ts'),
        },
        output: {
          format: 'es',
          entryFileNames: '[name].js',
          chunkFileNames: 'chunks/[name]-[hash].js',
          // A list is the command people wait for most often: few files to find, and nothing else in them.
          codeSplitting: { groups: [...LIST_PATH, ...WORK_PATH] },
        },
      },
      // Bundled because a package import costs the CLI more than the command itself (docs/decisions).
      externalizeDeps: {
        exclude: [
          'commander',
          'diff',
          'dockerode',
          'execa',
          'fastest-levenshtein',
          'tar-stream',
          'ws',
          'yaml',
          'zod',
        ],
      },
    },
  },
  preload: {
    build: {
      // A sandboxed preload is one CommonJS file that may require nothing but electron.
      externalizeDeps: false,
      minify: 'oxc',
      rolldownOptions: {
        input: { index: at('src-preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
      },
    },
  },
  renderer: {
    root: at('src-renderer'),
    plugins: [react()],
    build: {
      outDir: at('out/renderer'),
      minify: 'oxc',
      modulePreload: false,
      rolldownOptions: { input: at('src-renderer/index.html') },
    },
  },
})
