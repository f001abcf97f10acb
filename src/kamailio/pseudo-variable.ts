import { type ConfigurationError, optionError } from '../errors.ts'
import type { SipMessage } from '../module/message.ts'

/** Where the variables take their values from. */
export interface PseudoVariableContext {
  readonly message: Pick<SipMessage, 'callId' | 'fromTag' | 'toTag' | 'requestUri' | 'from' | 'to' | 'header'>
  avp(name: string): string | undefined
  /** A variable that a function of the module has written: `var:x`, `xavp:x=>y`. */
  variable(key: string): string | undefined
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
const SUPPORTED = `$avp(x), $var(x), $xavp(x=>y), $hdr(X), ${Object.keys(SIMPLE)
  .map((name) => `$${name}`)
  .join(', ')}`

/**
 * Compiles a format as `extra_id_pv` takes it: `$avp(x)`, `$var(x)`, `$xavp(x=>y)`, `$hdr(X)`, `$ci`, `$ft`, `$tt`, `$rU`, `$fU`,
 * `$tU`, each also as `$(...)`, with text around them; `$$` is a dollar sign.
 *
 * @param parameter named in the error.
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` for anything else.
 */
export function compilePseudoVariables(format: string, parameter = 'extra_id_pv'): PseudoVariableFormat {
  const parts: Part[] = []
  let rest = format
  while (rest !== '') {
    const text = /^[^$]+/.exec(rest)?.[0] ?? (rest.startsWith('$$') ? '$$' : undefined)
    if (text !== undefined) {
      const literal = text === '$$' ? '$' : text
      parts.push(() => literal)
      rest = rest.slice(text.length)
    } else {
      const found = variable(rest)
      if (found === undefined) throw unsupported(rest, format, parameter)
      const [part, length] = found
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

/** The variable at the start of `text` (at its dollar sign), and how long it is; undefined for one that is not supported. */
function variable(text: string): [part: Part, length: number] | undefined {
  // $name, $name(argument), $(name) or $(name(argument)); a name is as long as it can be.
  const found = /^\$(\()?([A-Za-z_][A-Za-z0-9_]*)(?:\(([^()]*)\))?/.exec(text)
  if (found === null) return undefined
  const [matched, parenthesis, name = '', argument] = found
  const length = matched.length + (parenthesis === undefined ? 0 : 1)
  if (parenthesis !== undefined && text[matched.length] !== ')') return undefined
  const part = partFor(name, argument)
  return part && [part, length]
}

function partFor(name: string, argument: string | undefined): Part | undefined {
  if (argument === undefined) return Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined
  if (name === 'avp') {
    // The old spelling names the type of the key first: s:name, i:number.
    const key = /^(?:[si]:)?([A-Za-z0-9_.-]+)$/.exec(argument.trim())?.[1]
    return key === undefined ? undefined : (context) => context.avp(key)
  }
  const key = writableKey(name, argument)
  if (key !== undefined) return (context) => context.variable(key)
  const header = argument.trim()
  if (name === 'hdr' && /^[!-9;-~]+$/.test(header)) return ({ message }) => message.header(header)
  return undefined
}

/** Under which key a variable other than an AVP is kept. */
function writableKey(name: string, argument: string): string | undefined {
  const inside = argument.replaceAll(/\s+/g, '')
  if (name === 'var' && /^[A-Za-z0-9_.-]+$/.test(inside)) return `var:${inside}`
  if (name === 'xavp' && /^[A-Za-z0-9_.-]+(?:\[\d+\])?(?:=>[A-Za-z0-9_.-]+(?:\[\d+\])?)?$/.test(inside))
    return `xavp:${inside}`
  return undefined
}

/** What a function may write to: an AVP, or what is kept under a key. */
export type Target = { readonly avp: string } | { readonly key: string }

/**
 * The variable that `name` stands for, such as `$avp(x)`; `parameter` is named in the error.
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION` for what cannot be written to.
 */
export function writable(name: string, parameter: string): Target {
  const [, kind = '', argument = ''] = /^\$(avp|var|xavp)\(([^()]*)\)$/.exec(name.trim()) ?? []
  const avp = kind === 'avp' ? /^(?:[si]:)?([A-Za-z0-9_.-]+)$/.exec(argument.trim())?.[1] : undefined
  if (avp !== undefined) return { avp }
  const key = writableKey(kind, argument)
  if (key !== undefined) return { key }
  const why = `'${name}' cannot be written to; $avp(x), $var(x) and $xavp(x=>y) can`
  throw optionError(parameter, `${parameter}: ${why}`)
}

/** `text` begins with the dollar sign of what is not supported. */
function unsupported(text: string, format: string, parameter: string): ConfigurationError {
  const what = /^\$[^\s$]{0,40}/.exec(text)?.[0]
  return optionError(parameter, `'${what}' in '${format}' is not supported; there are ${SUPPORTED}`)
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
