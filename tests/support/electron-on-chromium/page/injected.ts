import { makeBridgeSide } from './bridge.ts'
import { makeCodec } from './codec.ts'
import { runPageWorld } from './page-world.ts'
import { type PreloadWorldConfig, runPreloadWorld } from './preload-world.ts'

/** What runs before everything else in the page's own world. */
export function pageWorldSource(secret: string): string {
  return `(${runPageWorld})((${makeBridgeSide})(${JSON.stringify(secret)}, 'page'))`
}

/** What runs before everything else in the preload's world, and then the preload. */
export function preloadWorldSource(
  secret: string,
  config: PreloadWorldConfig,
  preload: string | null,
): string {
  const made = `(${runPreloadWorld})(${JSON.stringify(config)}, (${makeCodec})(), (${makeBridgeSide})(${JSON.stringify(secret)}, 'preload'))`
  const report = `${config.binding}(JSON.stringify({ kind: 'preload-error', message: String(error && error.stack || error) }))`
  return `{
const given = ${made}
if (given) {
  try {
    (${wrapPreload(preload ?? '')}).call(undefined, given.require, { exports: {} }, {}, given.process)
  } catch (error) { ${report} }
}
}`
}

/** A preload as Electron wraps it: a function over the few names that it may use. */
export function wrapPreload(source: string): string {
  return `function (require, module, exports, process) {\n${source}\n}`
}
