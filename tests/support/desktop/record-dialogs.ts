// Part of what is given to Electron as text: no imports but types and its other parts.
import type { Dialog } from 'electron'
import type { AskedDialog, DialogAnswer } from './driver.ts'
import { replace } from './replace.ts'

export interface RecordedDialogs {
  readonly errors: { readonly title: string; readonly content: string }[]
  asked(): readonly AskedDialog[]
  /** Answers the dialog that is open, or else the next one. */
  answer(given: DialogAnswer): void
}

interface OpenDialog extends Omit<AskedDialog, 'isAnswered'> {
  isAnswered: boolean
  settle(answer: DialogAnswer): void
}

/** Dialogs wait for the test, as they wait for a person. */
export function recordDialogs(dialog: Dialog): RecordedDialogs {
  const errors: { title: string; content: string }[] = []
  const asked: OpenDialog[] = []
  const answers: DialogAnswer[] = []
  const ask = <T>(
    kind: AskedDialog['kind'],
    given: readonly unknown[],
    read: (answer: DialogAnswer, buttons: readonly string[]) => T,
  ): Promise<T> => {
    const wanted = given.at(-1) as { message?: string; title?: string; detail?: string; buttons?: string[] }
    return new Promise((resolve, reject) => {
      const one = {
        kind,
        message: wanted.message ?? wanted.title ?? '',
        detail: wanted.detail ?? '',
        buttons: wanted.buttons ?? [],
        options: JSON.parse(JSON.stringify(wanted)),
        isAnswered: false,
        settle(answer: DialogAnswer): void {
          try {
            const value = read(answer, one.buttons)
            one.isAnswered = true
            resolve(value)
          } catch (error) {
            reject(error)
            throw error
          }
        },
      }
      asked.push(one)
      const ready = answers.shift()
      if (ready) one.settle(ready)
    })
  }
  const readPaths = (answer: DialogAnswer): readonly string[] | null => {
    if (!('paths' in answer)) throw new Error('this dialog asks for files')
    return answer.paths
  }
  replace(
    dialog,
    'showMessageBox',
    () =>
      (...given: unknown[]) =>
        ask('message', given, (answer, buttons) => {
          if (!('button' in answer)) throw new Error('this dialog asks for a button')
          const response = buttons.indexOf(answer.button)
          if (response === -1)
            throw new Error(`there is no button ${answer.button} among ${buttons.join(', ')}`)
          return { response, checkboxChecked: answer.isChecked ?? false }
        }),
  )
  replace(
    dialog,
    'showOpenDialog',
    () =>
      (...given: unknown[]) =>
        ask('open', given, (answer) => {
          const paths = readPaths(answer)
          return { canceled: paths === null, filePaths: [...(paths ?? [])] }
        }),
  )
  replace(
    dialog,
    'showSaveDialog',
    () =>
      (...given: unknown[]) =>
        ask('save', given, (answer) => {
          const paths = readPaths(answer)
          return { canceled: paths === null, filePath: paths?.[0] ?? '' }
        }),
  )
  replace(dialog, 'showErrorBox', () => (title, content) => void errors.push({ title, content }))
  return {
    errors,
    asked: () => asked.map(({ settle: _, ...facts }) => facts),
    answer(given) {
      const open = asked.find((each) => !each.isAnswered)
      if (open) open.settle(given)
      else answers.push(given)
    },
  }
}
