/** One thing to put into an archive. Names are relative, parents first. */
export type PackEntry =
  | { readonly type: 'directory'; readonly name: string; readonly mode: number }
  | {
      readonly type: 'file'
      readonly name: string
      readonly mode: number
      readonly content: string | Uint8Array
    }
