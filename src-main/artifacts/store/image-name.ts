import { ANNOTATION } from '../oci.ts'

/** The name of a snapshot as an image in a layout: letters, digits and dashes only, which every tool takes. */
export function refNameOf(slug: string, snapshot: string): string {
  return `${slug}-${snapshot}`
}

/** What an image's descriptor in an index carries. Pure. */
export function imageAnnotations(slug: string, snapshot: string, parts: string): Record<string, string> {
  return {
    [ANNOTATION.refName]: refNameOf(slug, snapshot),
    [ANNOTATION.parts]: parts,
    [ANNOTATION.slug]: slug,
    [ANNOTATION.snapshot]: snapshot,
  }
}
