#!/usr/bin/env node
// The command entry. It imports nothing at first: an old Node must get as far as saying so.

const NEEDED_NODE = 22

if (Number.parseInt(process.versions.node, 10) < NEEDED_NODE) {
  const { runOnBundledNode } = await import('./cli/bundled-node.ts')
  await runOnBundledNode(import.meta.filename ?? process.argv[1] ?? '', NEEDED_NODE)
} else {
  const { main } = await import('./cli/main.ts')
  await main(process.argv.slice(2))
}

export {}
