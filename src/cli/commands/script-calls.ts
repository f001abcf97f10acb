import { RtpProxyNgError } from '../../errors.ts'
import { type Token, tokens } from '../../kamailio/lexer.ts'
import { KamailioModule } from '../../kamailio/module.ts'
import { RtpengineModule } from '../../kamailio/rtpengine/module.ts'
import { flagPlan } from '../../module/request/flags.ts'
import { parseKamailioFlags } from '../../protocol/rtpengine-flags/kamailio.ts'
import { checkParameters } from '../../protocol/vocabulary/check.ts'

/** A function of one of the modules, called in a route. */
export interface ScriptCall {
  readonly line: number
  /** The call as it is written. */
  readonly text: string
  /** What is wrong with it; null: it is taken over. */
  readonly problem: string | null
}

/** A file that is taken in. */
export interface Include {
  readonly line: number
  readonly file: string
}

/** Most tokens between the brackets of a call. */
const MOST_TOKENS = 200

/** The NG command by which the flags of a function are read, where its name does not say it. */
const COMMANDS: Readonly<Record<string, string>> = {
  rtpengine_manage: 'offer',
  rtpengine_connect: 'connect',
  rtpengine_info: 'offer',
  rtpengine_destroy: 'delete',
  rtpengine_subscribe_request: 'subscribe request',
  rtpengine_subscribe_answer: 'subscribe answer',
}

/** What a command takes from the message itself. */
const FROM_MESSAGE = { 'call-id': 'x', 'from-tag': 'x', 'to-tag': 'x', sdp: 'v=0' }

/** Every call of the modules' functions, whether there is one of that name here, and whether its flags are understood. */
export function scriptCalls(text: string): ScriptCall[] {
  const list = tokens(text)
  const calls: ScriptCall[] = []
  const known = new Set([...functionsOf(KamailioModule), ...functionsOf(RtpengineModule)])
  for (const [at, token] of list.entries()) {
    const isCall = token.kind === 'word' && list[at + 1]?.kind === 'mark' && list[at + 1]?.text === '('
    if (!isCall || !(known.has(token.text) || /^rtp(?:proxy|engine)_[a-z]/.test(token.text))) continue
    const args = argumentsOf(list, at + 2)
    const problem = known.has(token.text)
      ? flagProblem(token.text, args[0])
      : `there is no function ${token.text} here`
    calls.push({ line: token.line, text: `${token.text}(${args.map(written).join('')})`, problem })
  }
  return calls
}

/** Every `include_file` and `import_file`. */
export function includesOf(text: string): Include[] {
  const list = tokens(text)
  return list.flatMap(({ kind, text: word, line }, at) => {
    const file = list[at + 1]
    const takesIn = kind === 'word' && /^(?:include|import)_file$/.test(word) && file?.kind === 'string'
    return takesIn ? [{ line, file: file.text }] : []
  })
}

/** What a script can call: names in the module's spelling, in the class and those above it. */
function functionsOf(module: { readonly prototype: object }): string[] {
  const names: string[] = []
  for (let face = module.prototype; face !== Object.prototype; face = Object.getPrototypeOf(face))
    names.push(...Object.getOwnPropertyNames(face).filter((name) => /^[a-z]+_[a-z_]+$/.test(name)))
  return names
}

function argumentsOf(list: readonly Token[], from: number): Token[] {
  const args: Token[] = []
  let depth = 1
  // What is not closed is not looked through to the end of the file for each call in it.
  const end = Math.min(from + MOST_TOKENS, list.length)
  for (let at = from; at < end; at++) {
    const token = list[at]!
    if (token.kind === 'mark' && token.text === '(') depth++
    if (token.kind === 'mark' && token.text === ')') depth--
    if (depth === 0) break
    args.push(token)
  }
  return args
}

function written({ kind, text }: Token): string {
  if (kind === 'string') return JSON.stringify(text)
  return text === ',' ? ', ' : text
}

/** What is wrong with flags that stand in the call; those in variables are known only when a call is there. */
function flagProblem(name: string, flags: Token | undefined): string | null {
  if (flags?.kind !== 'string' || flags.text.includes('$') || name.startsWith('set_')) return null
  try {
    if (/^(?:rtpproxy_|unforce_)/.test(name)) {
      const command = /destroy|unforce/.test(name)
        ? 'delete'
        : name === 'rtpproxy_answer'
          ? 'answer'
          : 'offer'
      flagPlan(flags.text, command, true)
    } else {
      const command = COMMANDS[name] ?? name.replace(/^rtpengine_/, '').replaceAll('_', ' ')
      checkParameters(command, { ...FROM_MESSAGE, ...parseKamailioFlags(flags.text, command).parameters })
    }
    return null
  } catch (error) {
    if (error instanceof RtpProxyNgError) return error.message
    throw error
  }
}
