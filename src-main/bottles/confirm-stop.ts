import { bottleError, toBottleError } from '../system/bottle-error.ts'
import type { OperationContext } from './services.ts'

/**
 * A context for freezes that nobody watches: a bottle that would have to be stopped is left as it is.
 * The freeze then fails with `unsupported` and the reason, so that it is told.
 */
export function neverStopping<Context extends OperationContext>(slug: string, context: Context): Context {
  return {
    ...context,
    confirmStop: async (question: string) => {
      throw bottleError(
        'unsupported',
        `${slug} was not frozen: its engine has to stop it for that. Freeze it by itself, and you are asked.`,
        { slug, detail: question },
      )
    },
  }
}

/** A context in which stopping was agreed to beforehand. */
export function mayStop<Context extends OperationContext>(context: Context): Context {
  return { ...context, confirmStop: async () => true }
}

export interface AskedStop {
  readonly confirm: (question: string) => Promise<boolean>
  /** The error as a person should read it: a declined stop says what was asked and that nothing changed. */
  readonly explain: (thrown: unknown) => unknown
}

/** Carries the freezer's question to whoever can answer it, and remembers that it was declined. */
export function askToStop(slug: string, context: OperationContext): AskedStop {
  let declined: string | null = null
  return {
    async confirm(question) {
      const agreed = await (context.confirmStop ?? context.confirm)(question)
      declined = agreed ? null : question
      return agreed
    },
    explain(thrown) {
      if (declined === null || context.signal.aborted) return thrown
      const failed = toBottleError(thrown, slug)
      if (failed.code !== 'cancelled') return thrown
      return bottleError('cancelled', `${slug} was not frozen and goes on: stopping it was declined.`, {
        slug,
        detail: declined,
        cause: thrown,
      })
    },
  }
}
