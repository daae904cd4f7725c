import { useMemo } from 'react'
import { backendName } from '../bottles/bottle-look.ts'
import { useEngineCheck } from '../engines/use-engine-check.ts'
import { useApp, useModel } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import { CopyButton } from '../ui/pieces.tsx'
import { useNow } from '../ui/use-now.ts'

const BANNERS = {
  ready: () => '',
  down: t.banner.engineDown,
  unknown: t.banner.engineUnknown,
  missing: t.banner.engineMissing,
} as const

/** One banner per cause: the lost connection first, then each engine whose bottles can't be seen. */
export function Banners() {
  const { link } = useApp()
  const { isConnected, lostAt } = useStore(link, (now) => now)
  const engines = useModel((model) => model.engines)
  const bottles = useModel((model) => model.bottleList)
  const platform = useModel((model) => model.platform)
  const troubled = useMemo(() => {
    const used = new Set(bottles.map((bottle) => bottle.backend))
    return engines.filter((engine) => engine.state !== 'ready' && used.has(engine.name))
  }, [engines, bottles])
  if (!isConnected && lostAt !== null) return <LostBanner lostAt={lostAt} />
  return (
    <>
      {troubled.map((engine) => (
        <EngineBanner
          key={engine.name}
          text={BANNERS[engine.state](backendName(engine.name, platform))}
          fix={engine.fix}
        />
      ))}
    </>
  )
}

const LONG = 8000

function LostBanner({ lostAt }: { readonly lostAt: number }) {
  const now = useNow(1000)
  const isLong = now - lostAt > LONG
  return (
    <div className="banner bad" role="alert">
      <Icon name={isLong ? 'warning' : 'busy'} className={isLong ? '' : 'spin'} />
      <span>
        {isLong ? t.banner.lostLong : t.banner.lost}{' '}
        <span className="soft">
          {t.banner.asOf(
            new Date(lostAt).toLocaleTimeString(undefined, {
              hour: '2-digit',
              minute: '2-digit',
              second: '2-digit',
            }),
          )}
        </span>
      </span>
    </div>
  )
}

function EngineBanner({ text, fix }: { readonly text: string; readonly fix: string | null }) {
  const { isChecking, check } = useEngineCheck()
  return (
    <div className="banner wait" role="status">
      <Icon name="warning" />
      <span>{text}</span>
      {fix && (
        <span className="banner-fix">
          <code>{fix}</code>
          <CopyButton text={fix} />
        </span>
      )}
      <Button isBusy={isChecking} onClick={() => void check()}>
        {t.action.checkAgain}
      </Button>
    </div>
  )
}
