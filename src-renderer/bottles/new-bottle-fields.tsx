import type { BackendName, ManifestSummary } from '../../src-preload/contract/entities.ts'
import { presentEngines } from '../engines/present-engines.ts'
import { useModel } from '../state/app.ts'
import type { Draft } from '../state/view.ts'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import { Field, Segmented, Switch } from '../ui/pieces.tsx'
import { backendName, COLOR_NAMES, labelColor } from './bottle-look.ts'

interface FieldsProps {
  readonly bottles: readonly ManifestSummary[]
  readonly draft: Draft
  readonly onChange: (next: Partial<Draft>) => void
}

/** Everything of the New bottle sheet but the agent. */
export function NewBottleFields({ bottles, draft, onChange }: FieldsProps) {
  return (
    <>
      <div className="field">
        <span className="field-label">{t.newBottle.mode}</span>
        <Segmented
          label={t.newBottle.mode}
          value={draft.isInteractive ? 'terminal' : 'alone'}
          onChange={(mode) => onChange({ isInteractive: mode === 'terminal' })}
          options={[
            { value: 'alone', label: t.newBottle.headless },
            { value: 'terminal', label: t.newBottle.interactive },
          ]}
        />
      </div>
      <Field
        label={t.newBottle.prompt}
        isOptional={draft.isInteractive}
        hint={draft.isInteractive ? t.newBottle.promptOptional : t.newBottle.promptHint}
      >
        {(id) => (
          <textarea
            id={id}
            className="input"
            rows={3}
            value={draft.prompt}
            onChange={(event) => onChange({ prompt: event.target.value })}
          />
        )}
      </Field>
      <div className="form-pair">
        <Field label={t.newBottle.label} isOptional hint={t.newBottle.labelHint}>
          {(id) => (
            <input
              id={id}
              className="input"
              value={draft.label}
              maxLength={52}
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => onChange({ label: event.target.value })}
            />
          )}
        </Field>
        <Colors draft={draft} onChange={onChange} />
      </div>
      <Engines draft={draft} onChange={onChange} />
      <MoreFields bottles={bottles} draft={draft} onChange={onChange} />
    </>
  )
}

function Colors({ draft, onChange }: Omit<FieldsProps, 'bottles'>) {
  return (
    <fieldset className="field colors">
      <legend>
        {t.newBottle.color} <span className="faint">{t.optional}</span>
      </legend>
      <div className="color-row">
        {['', ...COLOR_NAMES].map((name) => (
          <label key={name} title={name || t.newBottle.noColor} data-on={draft.color === name || undefined}>
            <input
              type="radio"
              name="color"
              className="hidden-but-read"
              aria-label={name || t.newBottle.noColor}
              checked={draft.color === name}
              onChange={() => onChange({ color: name })}
            />
            <i
              className={name ? 'swatch' : 'swatch none'}
              style={name ? { background: labelColor(name) ?? '' } : undefined}
            />
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function Engines({ draft, onChange }: Omit<FieldsProps, 'bottles'>) {
  const allEngines = useModel((model) => model.engines)
  // One that was chosen before stays in sight, with the reason why it can't be used.
  const engines = presentEngines(allEngines, draft.backend ? [{ backend: draft.backend }] : [])
  const platform = useModel((model) => model.platform)
  const chosen = engines.find((engine) => engine.name === draft.backend)
  return (
    <div className="field">
      <span className="field-label">{t.newBottle.engine}</span>
      <Segmented<BackendName | ''>
        label={t.newBottle.engine}
        value={draft.backend}
        onChange={(backend) => onChange({ backend })}
        options={[
          { value: '', label: t.newBottle.engineAuto },
          ...engines.map((engine) => ({
            value: engine.name as BackendName,
            isDisabled: engine.state === 'missing',
            label: (
              <>
                <i className={`engine-dot ${engine.state}`} aria-hidden="true" />
                {backendName(engine.name, platform)}
              </>
            ),
          })),
        ]}
      />
      {chosen && chosen.state !== 'ready' && (
        <div className="field-hint wait-word">
          <Icon name="warning" /> {chosen.reason ?? t.engines.state[chosen.state]}
        </div>
      )}
    </div>
  )
}

function MoreFields({ bottles, draft, onChange }: FieldsProps) {
  const isUsed = draft.copyCwd || draft.cwd !== '' || draft.bottles.length > 0
  const toggle = (name: string) =>
    onChange({
      bottles: draft.bottles.includes(name)
        ? draft.bottles.filter((other) => other !== name)
        : [...draft.bottles, name],
    })
  return (
    <details className="more-fields" open={isUsed || undefined}>
      <summary>
        <Icon name="right" />
        {t.newBottle.more}
      </summary>
      <div className="more-fields-body">
        <Field label={t.newBottle.folder} isOptional>
          {(id) => (
            <input
              id={id}
              className="input mono"
              value={draft.cwd}
              spellCheck={false}
              autoComplete="off"
              placeholder="/"
              onChange={(event) => onChange({ cwd: event.target.value })}
            />
          )}
        </Field>
        <Switch
          label={t.newBottle.copy}
          hint={t.newBottle.copyHint}
          isOn={draft.copyCwd}
          onChange={(copyCwd) => onChange({ copyCwd })}
        />
        {bottles.length > 0 && (
          <fieldset className="field">
            <legend>{t.newBottle.definitions}</legend>
            <div className="chips">
              {bottles.map((bottle) => (
                <label
                  key={bottle.name}
                  className="chip"
                  data-on={draft.bottles.includes(bottle.name) || undefined}
                  title={bottle.problem ?? bottle.description}
                >
                  <input
                    type="checkbox"
                    className="hidden-but-read"
                    checked={draft.bottles.includes(bottle.name)}
                    disabled={bottle.problem !== null}
                    onChange={() => toggle(bottle.name)}
                  />
                  {draft.bottles.includes(bottle.name) && (
                    <span className="chip-order number">{draft.bottles.indexOf(bottle.name) + 1}</span>
                  )}
                  {bottle.name}
                </label>
              ))}
            </div>
            <div className="field-hint">{t.newBottle.definitionsHint}</div>
          </fieldset>
        )}
        <Switch
          label={t.newBottle.secrets}
          hint={t.newBottle.secretsHint}
          isOn={draft.allowMissingSecrets}
          onChange={(allowMissingSecrets) => onChange({ allowMissingSecrets })}
        />
        <Switch
          label={t.newBottle.egress}
          hint={t.newBottle.egressHint}
          isOn={draft.unenforcedEgress}
          onChange={(unenforcedEgress) => onChange({ unenforcedEgress })}
        />
      </div>
    </details>
  )
}
