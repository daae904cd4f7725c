import type { z } from 'zod'
import { prettifyError } from 'zod'
import { type CallName, type CallResult, calls, type ParsedArgs } from '../../src-preload/contract/calls.ts'
import { failure, type Result } from '../../src-preload/contract/errors.ts'
import { toFailure } from '../system/bottle-error.ts'

/** One function per call of the contract; a missing one is a type error. */
export type Handlers = { readonly [K in CallName]: (args: ParsedArgs<K>) => Promise<CallResult<K>> }

/** Takes a call name and arguments as a page sent them; always answers with a value, never throws. */
export type Router = (call: string, args: unknown) => Promise<Result<unknown>>

/** Parses the arguments of every call with the contract's schema before its handler sees them. */
export function createRouter(handlers: Handlers): Router {
  return async (call, args) => {
    if (!isCallName(call)) {
      return {
        ok: false,
        error: failure('denied', `There is no call named ${JSON.stringify(call.slice(0, 60))}.`),
      }
    }
    return run(handlers, call, args)
  }
}

async function run<K extends CallName>(handlers: Handlers, call: K, args: unknown): Promise<Result<unknown>> {
  try {
    const schema: z.ZodType<ParsedArgs<K>> = calls[call].args as never
    const parsed = schema.safeParse(args)
    if (!parsed.success) return { ok: false, error: refusal(call, parsed.error) }
    return { ok: true, value: await handlers[call](parsed.data) }
  } catch (error) {
    return { ok: false, error: toFailure(error) }
  }
}

function refusal(call: CallName, error: z.ZodError): ReturnType<typeof failure> {
  const detail = prettifyError(error).slice(0, 2000)
  if (error.issues.some((issue) => issue.path[0] === 'slug')) {
    return failure(
      'invalid-slug',
      'That is not a bottle name: small letters, digits and single hyphens only.',
      { detail },
    )
  }
  return failure('usage', `The request ${call} has wrong arguments.`, { detail })
}

function isCallName(name: string): name is CallName {
  return Object.hasOwn(calls, name)
}
