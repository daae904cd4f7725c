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

/** What `icebox list` loads, in three files instead of thirty. None of it may reach a package. */
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
    name: 'list-command',
    test: /src-main\/cli\/(main|quick|face|session|ask|usage|table|width|failures|units|bytes|commands\/list)\.ts$/,
  },
]

export default defineConfig({
  main: {
    // Fault points end processes on purpose; a release has none.
    define: { __ICEBOX_FAULTS__: JSON.stringify(process.env.ICEBOX_RELEASE !== '1') },
    plugins: [executableCli],
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
          codeSplitting: { groups: LIST_PATH },
        },
      },
      // Bundled because a package import costs the CLI more than the command itself (docs/decisions).
      externalizeDeps: { exclude: ['commander', 'execa', 'fastest-levenshtein', 'ws', 'zod'] },
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
