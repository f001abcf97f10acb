/**
 * What the SIP scan must find, written for clarity: strings, split and regular expressions, one rule after the other.
 * Text is latin1, so offsets are bytes.
 */
export interface ReferenceMessage {
  kind: 'request' | 'reply'
  method?: string
  uri?: string
  status?: number
  callId?: string
  fromTag?: string
  toTag?: string
  cseq?: number
  cseqMethod?: string
  viaCount: number
  branches: [string | undefined, string | undefined]
  contentType?: string
  bodyStart: number
  bodyEnd: number
  sdp?: [start: number, end: number]
  headers: [name: string, value: string][]
}

const LONG_NAMES: Record<string, string> = {
  v: 'via',
  i: 'call-id',
  f: 'from',
  t: 'to',
  c: 'content-type',
  l: 'content-length',
}
const WHITE = /^[ \t\r\n]+|[ \t\r\n]+$/g

/** The message, or undefined where the scan must refuse. */
export function referenceSip(text: string): ReferenceMessage | undefined {
  let at = 0
  while (text[at] === '\r' || text[at] === '\n') at++
  const firstEnd = text.indexOf('\n', at)
  if (firstEnd < 0) return undefined
  const startLine = text.slice(at, firstEnd).replace(/\r$/, '')
  const message: ReferenceMessage = {
    kind: 'request',
    viaCount: 0,
    branches: [undefined, undefined],
    bodyStart: 0,
    bodyEnd: 0,
    headers: [],
  }
  const reply = /^sip\/2\.0 ([1-6][0-9][0-9])(?: [\s\S]*)?$/i.exec(startLine)
  const request = /^([^ ]+) ([^ ]+) sip\/2\.0$/i.exec(startLine)
  if (reply !== null) {
    message.kind = 'reply'
    message.status = Number(reply[1])
  } else if (request !== null) {
    message.method = request[1]!
    message.uri = request[2]!
  } else return undefined

  at = firstEnd + 1
  let contentLength: number | undefined
  const seen = new Set<string>()
  while (true) {
    if (at >= text.length) return undefined
    const empty = /^\r?\n/.exec(text.slice(at, at + 2))
    if (empty !== null) {
      at += empty[0].length
      break
    }
    const name = /^[!-9;-~]+(?=[ \t]*:)/.exec(text.slice(at))?.[0]
    if (name === undefined) return undefined
    const colon = text.indexOf(':', at)
    let end = text.indexOf('\n', colon)
    while (end >= 0 && (text[end + 1] === ' ' || text[end + 1] === '\t')) end = text.indexOf('\n', end + 1)
    if (end < 0) return undefined
    const value = text.slice(colon + 1, end).replace(WHITE, '')
    message.headers.push([name, value])
    at = end + 1
    const id = LONG_NAMES[name.toLowerCase()] ?? name.toLowerCase()
    if (id === 'via') {
      for (const one of splitOutside(value)) {
        if (message.viaCount < 2) message.branches[message.viaCount] = parameter(one, 'branch', 'first')
        message.viaCount++
      }
    } else if (id === 'content-length') {
      if (!/^[0-9]+$/.test(value)) return undefined
      // Only lengths that can matter are told apart.
      const length = Math.min(Number(value), 0x1000000)
      if (
        contentLength !== undefined &&
        contentLength !== length &&
        Math.min(contentLength, length) < 0x1000000
      )
        return undefined
      contentLength = length
    } else if (!seen.has(id)) {
      seen.add(id)
      if (id === 'call-id') message.callId = value
      if (id === 'content-type') message.contentType = value
      if (id === 'from') message.fromTag = parameter(value.slice(addressEnd(value)), 'tag', 'last')!
      if (id === 'to') message.toTag = parameter(value.slice(addressEnd(value)), 'tag', 'last')!
      if (id === 'cseq') {
        const cseq = /^([0-9]+)[ \t\r\n]+([\s\S]+)$/.exec(value)
        if (cseq === null || Number(cseq[1]) > 0xffffffff) return undefined
        message.cseq = Number(cseq[1])
        message.cseqMethod = cseq[2]!
      }
    }
  }

  message.bodyStart = at
  message.bodyEnd = text.length
  if (contentLength !== undefined && at + contentLength > text.length) return message
  if (contentLength !== undefined) message.bodyEnd = at + contentLength
  if (message.bodyEnd > at) {
    const found =
      message.contentType === undefined
        ? ([0, message.bodyEnd - at] as [number, number])
        : sdpIn(message.contentType, text.slice(at, message.bodyEnd), 0)
    if (found !== undefined) message.sdp = [found[0] + at, found[1] + at]
  }
  return message
}

/** Length of the quoted string or comment at the start of `text`; an unterminated one takes the rest. */
function enclosed(text: string): number {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[0] === '"') {
      if (i > 0 && text[i] === '"') return i + 1
    } else if (text[i] === '(') depth++
    else if (text[i] === ')' && --depth === 0) return i + 1
  }
  return text.length
}

/** The parameters of each value of a comma-joined header; commas in comments and, behind the first `;`, in quotes do not
 *  count. */
function splitOutside(value: string): string[] {
  const parts: string[] = []
  let start = 0
  let rest = 0
  let inParameters = false
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '(' || (value[i] === '"' && inParameters)) i += enclosed(value.slice(i)) - 1
    else if (value[i] === ';' && !inParameters) {
      inParameters = true
      start = i
    } else if (value[i] === ',') {
      parts.push(inParameters ? value.slice(start, i) : '')
      rest = i + 1
      inParameters = false
    }
  }
  if (rest < value.length) parts.push(inParameters ? value.slice(start) : '')
  return parts
}

/** Where the parameters of a From or To begin. */
function addressEnd(value: string): number {
  let comments = true
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '"') i += enclosed(value.slice(i)) - 1
    else if (value[i] === '<') {
      const close = value.indexOf('>', i)
      return close < 0 ? value.length : close + 1
    } else if (value[i] === ';') return i
    else if (value[i] === '(' && comments) {
      const length = enclosed(value.slice(i))
      if (i + length === value.length && !value.endsWith(')')) comments = false
      else i += length - 1
    }
  }
  return value.length
}

/** Removes comments, then reads `;name=value` pairs. */
function parameter(value: string, wanted: string, which: 'first' | 'last'): string | undefined {
  let found: string | undefined
  let i = 0
  const blank = () => {
    while (i < value.length && (/[ \t\r\n]/.test(value[i]!) || value[i] === '(')) {
      i += value[i] === '(' ? enclosed(value.slice(i)) : 1
    }
  }
  while (i < value.length) {
    const c = value[i]!
    if (c === ',') return found
    if (c === '"' || c === '(') {
      i += enclosed(value.slice(i))
      continue
    }
    i++
    if (c !== ';') continue
    blank()
    const name = /^[^\0-\x20;,("=]*/.exec(value.slice(i))![0]
    i += name.length
    blank()
    if (value[i] !== '=') continue
    i++
    blank()
    let text: string
    if (value[i] === '"') {
      const quoted = value.slice(i, i + enclosed(value.slice(i)))
      i += quoted.length
      text = quoted.length > 1 && quoted.endsWith('"') ? quoted.slice(1, -1) : ''
    } else {
      text = /^[^\0-\x20;,("]*/.exec(value.slice(i))![0]
      i += text.length
    }
    if (name.toLowerCase() === wanted && (which === 'last' || found === undefined)) found = text
  }
  return found
}

/** The place of the SDP in a body of this type. */
function sdpIn(contentType: string, body: string, depth: number): [number, number] | undefined {
  const type = /^([^/ \t\r\n]*)[ \t\r\n]*\/[ \t\r\n]*([^; \t\r\n]*)/.exec(contentType)
  if (type === null) return undefined
  const [, main, sub] = type as unknown as [string, string, string]
  if (main.toLowerCase() === 'application' && sub.toLowerCase() === 'sdp')
    return body === '' ? undefined : [0, body.length]
  if (main.toLowerCase() !== 'multipart' || sub === '' || depth === 8) return undefined
  const boundary = boundaryOf(contentType)
  if (boundary === '') return undefined
  let part: number | undefined
  let line = 0
  while (line <= body.length) {
    const atEnd = line >= body.length
    const newline = body.indexOf('\n', line)
    const lineEnd = newline < 0 ? body.length : newline
    const rest =
      !atEnd && body.startsWith(`--${boundary}`, line)
        ? body.slice(line + boundary.length + 2, lineEnd)
        : undefined
    const delimiter = rest === undefined ? undefined : /^(--)?[ \t\r]*$/.exec(rest)
    if (atEnd || delimiter) {
      if (part !== undefined) {
        const end = atEnd ? body.length : body.slice(part, line).replace(/\r?\n$/, '').length + part
        const found = sdpInPart(body.slice(part, end), depth)
        if (found !== undefined) return [found[0] + part, found[1] + part]
      }
      if (atEnd || delimiter![1] !== undefined) return undefined
      part = Math.min(lineEnd + 1, body.length)
    }
    line = lineEnd + 1
    if (atEnd) break
    if (line > body.length) line = body.length
  }
  return undefined
}

function boundaryOf(contentType: string): string {
  for (let i = contentType.indexOf(';'); i >= 0 && i < contentType.length; i = contentType.indexOf(';', i)) {
    const parameterText =
      /^;[ \t\r\n]*([^=; \t\r\n]*)[ \t\r\n]*(?:=[ \t\r\n]*(?:"([^"]*)"?|([^"; \t\r\n][^; \t\r\n]*|)))?/.exec(
        contentType.slice(i),
      )!
    if (
      parameterText[1]!.toLowerCase() === 'boundary' &&
      (parameterText[2] ?? parameterText[3]) !== undefined
    ) {
      return parameterText[2] ?? parameterText[3] ?? ''
    }
    i += parameterText[0].length
  }
  return ''
}

function sdpInPart(part: string, depth: number): [number, number] | undefined {
  const blank = /(?:^|\n)(\r?\n)/.exec(part)
  if (blank === null) return undefined
  let start = blank.index + blank[0].length
  const lines = part
    .slice(0, start)
    .replace(/\r?\n[ \t]/g, '  ')
    .split('\n')
  let type: string | undefined
  let encoding = 'binary'
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const name = line
      .slice(0, colon)
      .replace(/[ \t\r]+$/, '')
      .toLowerCase()
    const value = line.slice(colon + 1).replace(WHITE, '')
    if (name === 'content-type' || name === 'c') type = value
    if (name === 'content-transfer-encoding') encoding = value.toLowerCase()
  }
  if (type === undefined) return undefined
  const isSdp = /^application[ \t\r]*\/[ \t\r]*sdp(?:[; \t\r]|$)/i.test(type)
  if (isSdp && !['7bit', '8bit', 'binary'].includes(encoding)) return undefined
  if (isSdp) while (part[start] === '\r' || part[start] === '\n') start++
  const found = sdpIn(type, part.slice(start), depth + 1)
  return found === undefined ? undefined : [found[0] + start, found[1] + start]
}
