import { standIn } from './runtime.ts'

/** Electron's `app.commandLine`. */
export class CommandLine {
  hasSwitch(name: string): boolean {
    return process.argv.some((each) => each === `--${name}` || each.startsWith(`--${name}=`))
  }

  getSwitchValue(name: string): string {
    const found = process.argv.find((each) => each.startsWith(`--${name}=`))
    return found?.slice(name.length + 3) ?? ''
  }

  appendSwitch(): void {
    if (standIn.isReady) throw new Error('command line switches have no effect after the app is ready')
  }

  appendArgument(): void {
    this.appendSwitch()
  }

  removeSwitch(): void {
    this.appendSwitch()
  }
}
