import { readSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { readKnobs } from '../lib/knobs.ts'
import { optionOf, type Parsed } from './arguments.ts'
import type { Engine } from './engine.ts'
import { ContainerError, ExitWith } from './errors.ts'
import { storedBytes } from './image-store.ts'
import { stopContainer } from './lifecycle.ts'
import { allContainers, stateOf } from './record.ts'
import { printFormatted } from './show.ts'
import { swiftJson } from './swift-json.ts'

const COMMIT = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d'

export const versionLine = (version: string): string =>
  `container CLI version ${version} (build: release, commit: ${COMMIT.slice(0, 7)})`

export function systemStart(engine: Engine, parsed: Parsed): void {
  const isAsked = parsed.flags.has('enable-kernel-install') || parsed.flags.has('disable-kernel-install')
  if (readKnobs(engine.dir).serviceDown)
    throw new ContainerError('timeout', 'failed to get a response from apiserver within 60 seconds')
  engine.log('info: Launching container-apiserver...')
  engine.log('info: Testing access to container-apiserver...')
  const state = engine.system()
  engine.setSystem({ ...state, running: true })
  if (state.kernel) return
  engine.log('info: No default kernel configured.')
  const wants = isAsked ? parsed.flags.has('enable-kernel-install') : askForKernel(engine)
  if (!wants) {
    engine.log(
      'Please use the `container system kernel set --recommended` command to configure the default kernel',
    )
    return
  }
  engine.log('info: Installing kernel...')
  engine.setSystem({ running: true, kernel: true })
}

/** Reads one line from stdin; nothing to read is an error. */
function askForKernel(engine: Engine): boolean {
  engine.write(
    'Install the recommended default kernel from [https://github.com/kata-containers/kata-containers]? [Y/n]: ',
  )
  const buffer = Buffer.alloc(256)
  let text = ''
  while (!text.includes('\n')) {
    let count = 0
    try {
      count = readSync(0, buffer)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EOF') throw error
    }
    if (count === 0) throw new ContainerError('internalError', 'failed to read user input')
    text += buffer.toString('utf8', 0, count)
  }
  const answer = text.trim().toLowerCase()
  return answer === '' || answer === 'y' || answer === 'yes'
}

export function systemStop(engine: Engine): void {
  engine.write('info: checking if APIServer is alive\n')
  if (engine.isUp()) {
    for (const record of allContainers(engine)) {
      if (stateOf(engine, record.id) === 'running') stopContainer(engine, record, 5)
    }
    engine.write('info: stopping service with label com.apple.container.apiserver\n')
  }
  engine.setSystem({ ...engine.system(), running: false })
}

export function systemStatus(engine: Engine, parsed: Parsed): void {
  const format = optionOf(parsed, 'format') ?? 'table'
  const isRegistered = engine.system().running
  const status = engine.isUp() ? 'running' : isRegistered ? 'not running' : 'unregistered'
  const isUp = status === 'running'
  const report = {
    apiServerAppName: isUp ? 'container-apiserver' : '',
    apiServerBuild: isUp ? 'release' : '',
    apiServerCommit: isUp ? COMMIT : '',
    apiServerVersion: isUp
      ? `container-apiserver version ${engine.version} (build: release, commit: ${COMMIT.slice(0, 7)})`
      : '',
    appRoot: isUp ? `${join(homedir(), 'Library/Application Support/com.apple.container')}/` : '',
    installRoot: isUp ? '/usr/local/' : '',
    status,
  }
  if (format === 'json') engine.print(swiftJson(report))
  else if (format !== 'table') printFormatted(engine, format, [report])
  else if (isUp) for (const [key, value] of Object.entries(report)) engine.print(`${key.padEnd(20)}${value}`)
  else engine.print(`apiserver is not running${isRegistered ? '' : ' and not registered with launchd'}`)
  if (isUp) return
  engine.flush()
  throw new ExitWith(1)
}

export function systemVersion(engine: Engine, parsed: Parsed): void {
  const format = optionOf(parsed, 'format') ?? 'table'
  const element = (appName: string) => ({
    appName,
    buildType: 'release',
    commit: COMMIT,
    version: engine.version,
  })
  const all = [element('container'), ...(engine.isUp() ? [element('container-apiserver')] : [])]
  if (format !== 'table') {
    printFormatted(engine, format, all)
    return
  }
  engine.print('COMPONENT  VERSION  BUILD  COMMIT')
  for (const one of all) engine.print(`${one.appName}  ${one.version}  release  ${COMMIT.slice(0, 7)}`)
}

export function systemDf(engine: Engine, parsed: Parsed): void {
  engine.needService()
  const format = optionOf(parsed, 'format') ?? 'table'
  const all = allContainers(engine)
  const active = all.filter(({ id }) => stateOf(engine, id) === 'running').length
  const report = {
    containers: { active, reclaimable: 0, sizeInBytes: 0, total: all.length },
    images: { active, reclaimable: 0, sizeInBytes: storedBytes(engine), total: 0 },
    volumes: { active: 0, reclaimable: 0, sizeInBytes: 0, total: 0 },
  }
  if (format === 'json') engine.print(swiftJson(report))
  else engine.print('TYPE  TOTAL  ACTIVE  SIZE  RECLAIMABLE')
}
