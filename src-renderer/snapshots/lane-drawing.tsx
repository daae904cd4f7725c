import type { LaneRow } from './lanes.ts'

const STEP = 18
const EDGE = 11

/** How wide the drawing of so many lanes is, in pixels. */
export function drawingWidth(lanes: number): number {
  return EDGE * 2 + (Math.min(lanes, 5) - 1) * STEP
}

const x = (lane: number) => EDGE + Math.min(lane, 4) * STEP

/** The lines and the node of one row; rows placed under each other give the whole tree. */
export function LaneDrawing(props: {
  readonly row: LaneRow<unknown>
  readonly width: number
  readonly height: number
  readonly look: 'now' | 'current' | 'snapshot' | 'fork'
}) {
  const { row, height } = props
  const middle = height / 2
  const at = x(row.lane)
  return (
    <svg className="lanes" width={drawingWidth(props.width)} height={height} aria-hidden="true">
      {row.passing.map((lane) => (
        <path key={lane} className={`lane lane-${Math.min(lane, 3)}`} d={`M${x(lane)} 0V${height}`} />
      ))}
      {row.hasLineAbove && <path className={`lane lane-${Math.min(row.lane, 3)}`} d={`M${at} 0V${middle}`} />}
      {row.hasLineBelow && (
        <path className={`lane lane-${Math.min(row.lane, 3)}`} d={`M${at} ${middle}V${height}`} />
      )}
      {row.joining.map((lane) => (
        <path
          key={lane}
          className={`lane lane-${Math.min(lane, 3)}`}
          d={`M${x(lane)} 0C${x(lane)} ${middle * 0.7} ${at} ${middle * 0.3} ${at} ${middle}`}
        />
      ))}
      <circle className={`node ${props.look}`} cx={at} cy={middle} r={props.look === 'now' ? 5.5 : 5} />
      {props.look === 'now' && <circle className="node-heart" cx={at} cy={middle} r={2} />}
    </svg>
  )
}
