import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { processesOf } from '../lib/guest.ts'
import { pause } from '../lib/process-id.ts'
import { optionOf, type Parsed } from './arguments.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import {
  allContainers,
  type ContainerRecord,
  entryJson,
  findContainer,
  getContainer,
  guestOf,
  stateOf,
} from './record.ts'
import { shortReference } from './references.ts'
import { bootLogPath, logPath } from './run-guest.ts'
import { swiftJson } from './swift-json.ts'

/** Prints a table: for people only. */
export function printTable(engine: Engine, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  for (const row of rows)
    engine.print(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

/** Prints values in a format other than a table. */
export function printFormatted(
  engine: Engine,
  format: string,
  values: readonly object[],
  pretty = false,
): void {
  if (format === 'json') engine.print(swiftJson(values, pretty))
  else if (format === 'yaml') for (const value of values) engine.print(`- ${swiftJson(value)}`)
  else engine.print(`items = ${swiftJson(values)}`)
}

export function list(engine: Engine, parsed: Parsed): void {
  if (!engine.isUp())
    throw new ContainerError(
      'internalError',
      'failed to list containers',
      new ContainerError('interrupted', 'XPC connection error: Connection invalid'),
    )
  const shown = allContainers(engine).filter(
    ({ id }) => parsed.flags.has('all') || stateOf(engine, id) === 'running',
  )
  const format = optionOf(parsed, 'format') ?? 'table'
  if (format !== 'table')
    printFormatted(
      engine,
      format,
      shown.map((record) => entryJson(engine, record)),
    )
  else if (parsed.flags.has('quiet')) for (const { id } of shown) engine.print(id)
  else
    printTable(engine, [
      [
        'ID',
        'IMAGE',
        'OS',
        'ARCH',
        'STATE',
        engine.gates.nestedJson ? 'IP' : 'ADDR',
        'CPUS',
        'MEMORY',
        'STARTED',
      ],
      ...shown.map((record) => [
        record.id,
        shortReference(record.image.reference),
        record.platform.os,
        record.platform.architecture,
        stateOf(engine, record.id),
        '',
        String(record.cpus),
        `${record.memoryInBytes / 1024 ** 2} MB`,
        '',
      ]),
    ])
}

export function inspect(engine: Engine, parsed: Parsed): void {
  engine.needService()
  const ids = [...new Set(parsed.rest)]
  const found = ids
    .map((id) => findContainer(engine, id))
    .filter((record): record is ContainerRecord => record !== null)
  const missing = ids.filter((id) => !found.some((record) => record.id === id))
  if (missing.length > 0 && engine.gates.inspectFails)
    throw new ContainerError('notFound', `container not found: ${missing.join(', ')}`)
  engine.print(
    swiftJson(
      found.map((record) => entryJson(engine, record)),
      true,
    ),
  )
}

const trimEnd = (text: string) => text.replace(/\n+$/, '')

export function logs(engine: Engine, parsed: Parsed): void {
  engine.needService()
  const id = parsed.positional[0] ?? ''
  getContainer(engine, id)
  const path = (parsed.flags.has('boot') ? bootLogPath : logPath)(engine, id)
  const count = optionOf(parsed, 'n')
  const data = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const text = trimEnd(data.toString('utf8'))
  const lines =
    count === undefined
      ? text
      : text
          .split('\n')
          .slice(-Math.max(1, Number(count)))
          .join('\n')
  if (text !== '' && count !== '0') engine.write(`${lines}\n`)
  if (parsed.flags.has('follow')) follow(engine, path, data.length)
}

/** Goes on until it is ended: the tool doesn't notice that the container has stopped. */
function follow(engine: Engine, path: string, from: number): never {
  const buffer = Buffer.alloc(64 * 1024)
  for (let at = from; ; ) {
    const size = existsSync(path) ? statSync(path).size : 0
    if (size <= at) {
      pause(20)
      continue
    }
    const file = openSync(path, 'r')
    const count = readSync(file, buffer, 0, buffer.length, at)
    closeSync(file)
    at += count
    engine.write(buffer.subarray(0, count))
  }
}

export function stats(engine: Engine, parsed: Parsed): void {
  engine.needService()
  for (const id of parsed.rest) {
    if (!findContainer(engine, id)) throw new ContainerError('notFound', `no such container: ${id}`)
  }
  const format = optionOf(parsed, 'format') ?? 'table'
  const wanted = allContainers(engine).filter(
    ({ id }) => (parsed.rest.length === 0 || parsed.rest.includes(id)) && stateOf(engine, id) === 'running',
  )
  const isOneSample = format !== 'table' || parsed.flags.has('no-stream')
  if (!isOneSample) {
    engine.write('\u001b[?1049h\u001b[H')
    for (;;) pause(2000)
  }
  pause(2000)
  const samples = wanted.map((record) => {
    const processes = processesOf(guestOf(engine, record.id))
    const usage = processes.map(({ pid }) => usageOf(pid))
    const sum = (pick: (one: { bytes: number; usec: number }) => number) =>
      usage.reduce((total, one) => total + pick(one), 0)
    return {
      id: record.id,
      memoryUsageBytes: sum((one) => one.bytes),
      memoryLimitBytes: record.memoryInBytes,
      cpuUsageUsec: sum((one) => one.usec),
      networkRxBytes: 0,
      networkTxBytes: 0,
      blockReadBytes: 0,
      blockWriteBytes: 0,
      numProcesses: processes.length,
    }
  })
  if (format !== 'table') {
    printFormatted(engine, format, samples)
    return
  }
  printTable(engine, [
    ['Container ID', 'Cpu %', 'Memory Usage', 'Pids'],
    ...samples.map((one) => [one.id, '0.00%', `${one.memoryUsageBytes}`, `${one.numProcesses}`]),
  ])
}

function usageOf(pid: number): { readonly bytes: number; readonly usec: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return {
      bytes: Number(fields[21] ?? 0) * 4096,
      usec: (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10_000,
    }
  } catch {
    return { bytes: 0, usec: 0 }
  }
}
