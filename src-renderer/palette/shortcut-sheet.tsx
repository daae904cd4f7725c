import { useChangeView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { chordText, NEW_CHORD } from './keys.ts'

const GROUPS: readonly (readonly [string, readonly (readonly [string, readonly string[]])[]])[] = [
  [
    t.shortcut.window,
    [
      [t.shortcut.palette, ['mod+k', 'F1']],
      [t.shortcut.new, [NEW_CHORD]],
      [t.shortcut.find, ['mod+f']],
      [t.shortcut.freeze, ['mod+shift+f']],
      [t.shortcut.resume, ['mod+enter']],
      [t.shortcut.fork, ['mod+d']],
      [t.shortcut.export, ['mod+e']],
      [t.shortcut.destroy, ['mod+backspace']],
      [t.shortcut.sections, ['mod+1…7']],
      [t.shortcut.settings, ['mod+,']],
      [t.shortcut.help, ['mod+shift+/']],
      [t.shortcut.escape, ['Esc']],
    ],
  ],
  [
    t.shortcut.list,
    [
      [t.shortcut.move, ['↑', '↓', 'Home', 'End']],
      [t.shortcut.quick, ['space']],
      [t.shortcut.toggle, ['X']],
      [t.shortcut.all, ['mod+a']],
      [t.shortcut.menu, ['shift+F10']],
      [t.shortcut.leave, ['F6']],
    ],
  ],
]

/** The list of shortcuts, as this platform writes them. */
export function ShortcutSheet() {
  const change = useChangeView()
  const close = () => change({ overlay: null })
  return (
    <Dialog
      size="medium"
      title={t.shortcut.title}
      onClose={close}
      footer={
        <>
          <span className="room" />
          <Button kind="primary" autoFocus onClick={close}>
            {t.action.close}
          </Button>
        </>
      }
    >
      <div className="shortcut-groups">
        {GROUPS.map(([title, lines]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl className="shortcuts">
              {lines.map(([what, chords]) => (
                <div key={what}>
                  <dt>{what}</dt>
                  <dd>
                    {chords.map((chord) => (
                      <kbd key={chord}>{chordText(chord)}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
