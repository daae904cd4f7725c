import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Browser, chromium, type Page } from 'playwright'
import { OUT } from '../support/icebox-home.ts'
import { chromiumPath } from '../support/prepare.ts'
import type { Bench } from './bench.ts'

export interface Served {
  readonly url: string
  readonly pid: number
  /** Heap bytes after a full collection. Needs `inspect`. */
  heapBytes(): Promise<number>
  stop(): Promise<void>
}

/** Starts the built `icebox serve` and reads its address. With `inspect` its heap can be read from outside. */
export async function serve(bench: Bench, options: { readonly inspect?: boolean } = {}): Promise<Served> {
  const args = [
    ...(options.inspect ? ['--inspect=127.0.0.1:0'] : []),
    join(OUT, 'main/cli.js'),
    'serve',
    '--no-open',
    '--json',
  ]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ICEBOX_HOME: bench.home.dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const inspector = firstMatch(child, 'stderr', /Debugger listening on (ws:\S+)/)
  const [url, debuggerUrl] = await Promise.all([
    firstMatch(child, 'stdout', /"url":\s*"([^"]+)"/),
    options.inspect ? inspector : Promise.resolve(''),
  ])
  inspector.catch(() => undefined)
  return {
    url,
    pid: child.pid ?? 0,
    heapBytes: () => readHeap(debuggerUrl),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}

function firstMatch(child: ChildProcess, stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const source = child[stream]
    if (!source) return reject(new Error(`no ${stream}`))
    createInterface({ input: source }).on('line', (line) => {
      const found = pattern.exec(line)?.[1]
      if (found) resolve(found)
    })
    child.once('exit', (code) => reject(new Error(`serve ended with ${code} before it said ${pattern}`)))
  })
}

async function readHeap(debuggerUrl: string): Promise<number> {
  const socket = new WebSocket(debuggerUrl)
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  let id = 0
  const ask = (method: string) =>
    new Promise<{ usedSize?: number }>((resolve) => {
      const mine = ++id
      const listen = (event: MessageEvent) => {
        const answer = JSON.parse(String(event.data)) as { id?: number; result?: { usedSize?: number } }
        if (answer.id !== mine) return
        socket.removeEventListener('message', listen)
        resolve(answer.result ?? {})
      }
      socket.addEventListener('message', listen)
      socket.send(JSON.stringify({ id: mine, method }))
    })
  await ask('HeapProfiler.enable')
  await ask('HeapProfiler.collectGarbage')
  await ask('HeapProfiler.collectGarbage')
  const { usedSize = 0 } = await ask('Runtime.getHeapUsage')
  socket.close()
  return usedSize
}

/** The Chromium that the browser face is looked at with. */
export async function openChromium(): Promise<Browser> {
  const executablePath = await chromiumPath()
  if (!executablePath) throw new Error('Chromium is not installed')
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 })
}

/** Milliseconds since the epoch, by the page's clock, at which this bottle's row first showed this text after now. */
export async function watchRow(page: Page, slug: string, text: RegExp): Promise<() => Promise<number>> {
  const seen = await page.evaluateHandle(
    ({ slug, source }) => {
      const pattern = new RegExp(source, 'i')
      return {
        at: new Promise<number>((resolve) => {
          const look = () => {
            const row = document.querySelector(`[data-slug="${slug}"]`)
            if (!row || !pattern.test(row.textContent ?? '')) return
            observer.disconnect()
            resolve(performance.timeOrigin + performance.now())
          }
          const observer = new MutationObserver(look)
          observer.observe(document.body, {
            subtree: true,
            childList: true,
            characterData: true,
            attributes: true,
          })
          look()
        }),
      }
    },
    { slug, source: text.source },
  )
  return () => seen.evaluate((watch) => watch.at)
}

/** CPU seconds used so far and bytes resident, of one process. Linux only. */
export async function processCost(
  pid: number,
): Promise<{ readonly cpuSeconds: number; readonly residentBytes: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
  return { cpuSeconds: ticks / 100, residentBytes: kilobytes * 1024 }
}
