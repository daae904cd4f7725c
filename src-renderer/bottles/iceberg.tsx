/** The drawing of the first screen: a bottle in a block of ice. */
export function Iceberg({ isCold }: { readonly isCold: boolean }) {
  return (
    <svg className="iceberg" viewBox="0 0 160 120" aria-hidden="true" data-cold={isCold || undefined}>
      <path className="ice-back" d="M34 38L64 14l52 6 18 34-14 46-58 8-36-26z" />
      <path className="ice-light" d="M34 38L64 14l52 6-22 20-48 4z" />
      <path
        className="ice-edge"
        d="M34 38L64 14l52 6 18 34-14 46-58 8-36-26zM34 38l12 6 48-4 22-20M46 44l-4 44M94 40l26 60"
      />
      <path className="bottle-body" d="M74 40h12v12l8 10v28a6 6 0 0 1-6 6H72a6 6 0 0 1-6-6V62l8-10z" />
      <path
        className="bottle-water"
        d="M67.500 74c4-3 8 3 12.500 0s8.500 3 12.500 0v15a5 5 0 0 1-5 5h-15a5 5 0 0 1-5-5z"
      />
      <path
        className="bottle-edge"
        d="M72 36h16v5H72zM74 41v11l-8 10v28a6 6 0 0 0 6 6h16a6 6 0 0 0 6-6V62l-8-10V41"
      />
      <path
        className="frost"
        d="M124 20v14M118 23.500l12 7M130 23.500l-12 7M26 62v10M21.700 64.500l8.600 5M30.300 64.500l-8.600 5"
      />
    </svg>
  )
}
