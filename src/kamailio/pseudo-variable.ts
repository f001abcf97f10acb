import { ConfigurationError } from '../errors.ts'
import type { SipMessage } from '../module/message.ts'

/** Where the variables take their values from. */
export interface PseudoVariableContext {
  readonly message: Pick<SipMessage, 'callId' | 'fromTag' | 'toTag' | 'requestUri' | 'from' | 'to' | 'header'>
  avp(name: string): string | undefined
}

/** A compiled format: text with variables in it. */
export interface PseudoVariableFormat {
  /**
   * The text with its variables filled in; null if one of them has no value. (Kamailio prints `<null>` there; as a
   * `via-branch` that would tie unrelated calls together.)
   */
  evaluate(context: PseudoVariableContext): string | null
}

type Part = (context: PseudoVariableContext) => string | undefined

const SIMPLE: Record<string, Part> = {
  ci: ({ message }) => message.callId,
  ft: ({ message }) => message.fromTag,
  tt: ({ message }) => message.toTag,
  rU: ({ message }) => uriUser(message.requestUri),
  fU: ({ message }) => uriUser(addressUri(message.from)),
  tU: ({ message }) => uriUser(addressUri(message.to)),
}
const SUPPORTED = `$avp(x), $hdr(X), ${Object.keys(SIMPLE)
  .map((name) => `$${name}`)
  .join(', ')}`

/**
 * Compiles a format as `extra_id_pv` takes it: `$avp(x)`, `$hdr(X)`, `$ci`, `$ft`, `$tt`, `$rU`, `$fU`, `$tU`, each also as
 * `$(...)`, with text around them; `$$` is a dollar sign.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` for anything else.
 */
export function compilePseudoVariables(format: string): PseudoVariableFormat {
  const parts: Part[] = []
  let rest = format
  while (rest !== '') {
    const text = /^[^$]+/.exec(rest)?.[0] ?? (rest.startsWith('$$') ? '$$' : undefined)
    if (text !== undefined) {
      const literal = text === '$$' ? '$' : text
      parts.push(() => literal)
      rest = rest.slice(text.length)
    } else {
      const [part, length] = variable(rest, format)
      parts.push(part)
      rest = rest.slice(length)
    }
  }
  return {
    evaluate(context) {
      let result = ''
      for (const part of parts) {
        const value = part(context)
        if (value === undefined) return null
        result += value
      }
      return result
    },
  }
}

/** The variable at the start of `text` (at its dollar sign), and how long it is. */
function variable(text: string, format: string): [part: Part, length: number] {
  // $name, $name(argument), $(name) or $(name(argument)); a name is as long as it can be.
  const found = /^\$(\()?([A-Za-z_][A-Za-z0-9_]*)(?:\(([^()]*)\))?/.exec(text)
  if (found === null) throw unsupported(text, format)
  const [matched, parenthesis, name = '', argument] = found
  const length = matched.length + (parenthesis === undefined ? 0 : 1)
  if (parenthesis !== undefined && text[matched.length] !== ')') throw unsupported(text, format)
  const part = partFor(name, argument)
  if (part === undefined) throw unsupported(text, format)
  return [part, length]
}

function partFor(name: string, argument: string | undefined): Part | undefined {
  if (argument === undefined) return Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined
  if (name === 'avp') {
    // The old spelling names the type of the key first: s:name, i:number.
    const key = /^(?:[si]:)?([A-Za-z0-9_.-]+)$/.exec(argument.trim())?.[1]
    return key === undefined ? undefined : (context) => context.avp(key)
  }
  const header = argument.trim()
  if (name === 'hdr' && /^[!-9;-~]+$/.test(header)) return ({ message }) => message.header(header)
  return undefined
}

/** `text` begins with the dollar sign of what is not supported. */
function unsupported(text: string, format: string): ConfigurationError {
  const what = /^\$[^\s$]{0,40}/.exec(text)?.[0]
  return new ConfigurationError(
    'ERR_RTPPROXY_OPTION',
    'extra_id_pv',
    `'${what}' in '${format}' is not supported; there are ${SUPPORTED}`,
  )
}

/** The URI in a From or To value: what stands between `<` and `>` behind the display name, else the addr-spec. */
function addressUri(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const name = /^\s*"(?:[^"\\]|\\[\s\S])*"/.exec(value)?.[0] ?? ''
  const rest = value.slice(name.length)
  // Behind the first semicolon, a bracket belongs to a parameter of the header (RFC 3261, 20.20).
  const bracketed = /^[^;<]*<([^<>]*)>/.exec(rest)
  return bracketed === null ? rest.split(';', 1)[0]!.trim() : bracketed[1]!.trim()
}

/** The user part of a SIP or SIPS URI without its password (RFC 3261, 19.1.1), or the number of a tel URI (RFC 3966). */
function uriUser(uri: string | undefined): string | undefined {
  if (uri === undefined) return undefined
  const scheme = /^(sips?|tel):/i.exec(uri)
  if (scheme === null) return undefined
  const rest = uri.slice(scheme[0].length)
  if (scheme[1]!.toLowerCase() === 'tel') return rest.split(';', 1)[0] || undefined
  // A user may hold `;` and `?` but no `@`, and host and parameters hold none either.
  const at = rest.indexOf('@')
  return at < 0 ? undefined : rest.slice(0, at).split(':', 1)[0] || undefined
}
