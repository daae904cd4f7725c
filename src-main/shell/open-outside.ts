import type { Desktop } from './desktop.ts'
import type { OpenRequest } from './open-files.ts'

/** Opens what links, files and further instances ask for. */
export interface Opener {
  /** Asked before the desktop is there, it is done as soon as it is. */
  open(request: OpenRequest): void
  /** To be called once, when the desktop is there. */
  start(desktop: Desktop, importPaths: ImportPaths): void
}

/** Imports files from outside, each as a task of its own; shell/import-files.ts. */
export type ImportPaths = (desktop: Desktop, paths: readonly string[]) => unknown

export function createOpener(): Opener {
  const waiting: OpenRequest[] = []
  let act: ((request: OpenRequest) => void) | undefined
  return {
    open(request) {
      if (act) act(request)
      else waiting.push(request)
    },
    start(desktop, importPaths) {
      act = ({ commands, files }) => {
        // Whatever was asked for, somebody started the app and waits for a window.
        desktop.window.show()
        for (const command of commands) desktop.run(command)
        if (files.length > 0) importPaths(desktop, files)
      }
      for (const request of waiting.splice(0)) act(request)
    },
  }
}
