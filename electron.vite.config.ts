import { chmodSync } from 'node:fs'
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

const at = (path: string) => resolve(import.meta.dirname, path)

/** The command is also run by its path, so its file must be a program. */
const executableCli = {
  name: 'icebox:executable-cli',
  writeBundle: () => chmodSync(at('out/main/cli.js'), 0o755),
}

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
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
      // Bundled because a package import costs the CLI more than the command itself (docs/decisions).
      externalizeDeps: { exclude: ['commander', 'fastest-levenshtein'] },
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
