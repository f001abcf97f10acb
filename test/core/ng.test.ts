import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/core/bencode.ts'
import {
  type BranchSource,
  encodeRequest,
  type MessageCommand,
  type RewrittenMessage,
  readReply,
  replaceSdp,
  rewriteMessage,
} from '../../src/core/ng.ts'
import { scanSip } from '../../src/core/sip.ts'
import { RtpProxyNgError } from '../../src/errors.ts'
import { bytes, moduleCalls, rtpenginePairs } from '../vectors.ts'
import { referenceSip } from './reference-sip.ts'

const COMMANDS = ['offer', 'answer', 'delete', 'query', 'start recording'] as const
const ROOM = 28

/** The request a message must become, written from the rules; a string names the missing thing. */
function referenceRequest(
  text: string,
  command: MessageCommand,
  toTag: boolean,
  branch: BranchSource,
  value: string,
): string | Buffer {
  const message = referenceSip(text)
  if (message === undefined) return 'SIP'
  if (!message.callId) return 'NO_CALL_ID'
  if (!message.headers.some(([name]) => /^(to|t)$/i.test(name))) return 'NO_TO_TAG'
  if (!message.fromTag) return 'NO_FROM_TAG'
  const dictionary = new Map<string, string | Buffer>()
  const latin1 = (string: string) => Buffer.from(string, 'latin1')
  if (command === 'offer' || command === 'answer') {
    if (message.sdp === undefined) return 'NO_SDP'
    dictionary.set('sdp', latin1(text.slice(...message.sdp)))
  }
  dictionary.set('call-id', latin1(message.callId))
  if (branch !== 0) {
    const via = branch === 3 ? value : message.branches[branch - 1]
    if (!via) return 'NO_VIA_BRANCH'
    dictionary.set('via-branch', latin1(via))
  }
  const straight = message.kind === 'request' ? command !== 'answer' : command === 'answer'
  if (!straight && !message.toTag) return 'NO_TO_TAG'
  dictionary.set('from-tag', latin1(straight ? message.fromTag : message.toTag!))
  const other = straight ? (toTag ? message.toTag : undefined) : message.fromTag
  if (other) dictionary.set('to-tag', latin1(other))
  dictionary.set('command', command)
  return encode(dictionary)
}

function request(
  text: string,
  command: MessageCommand,
  toTag: boolean,
  branch: BranchSource,
  value: string,
): string | Buffer {
  const none = Buffer.alloc(0)
  const plan = {
    command,
    flags: none,
    toTag,
    branch,
    branchValue: Buffer.from(value, 'latin1'),
    middle: none,
  }
  const message = Buffer.from(text, 'latin1')
  const used = branch === 3 ? plan : { ...plan, branchValue: undefined }
  const scanning = outcome(() => encodeRequest(message, used, ROOM).subarray(ROOM))
  const scanned = outcome(() => encodeRequest(message, used, ROOM, scanSip(message)).subarray(ROOM))
  expect(scanned).toEqual(scanning)
  return typeof scanning === 'string' ? scanning.replace('ERR_RTPPROXY_', '') : scanning
}

/** What `action` gives, or the code of its error. */
function outcome<T>(action: () => T): T | string {
  try {
    return action()
  } catch (error) {
    if (error instanceof RtpProxyNgError) return error.code
    throw error
  }
}

const texts = moduleCalls.map((call) => bytes(call.sip_in).toString('latin1'))
const mutation = fc.tuple(
  fc.nat(1200),
  fc.nat(30),
  fc.constantFrom('', ';', ',', '"', ':', '\r\n', '\r\n ', 'Via: x\r\n', '(', '0'),
)
const mutated = fc
  .tuple(fc.constantFrom(...texts), fc.array(mutation, { maxLength: 3 }))
  .map(([text, mutations]) => {
    let result = text
    for (const [at, removed, inserted] of mutations)
      result = result.slice(0, at) + inserted + result.slice(at + removed)
    return result
  })

describe('the NG request of a SIP message', () => {
  it('is what the reference makes of it, for recorded and mutated messages and every command', () => {
    const branch = fc.constantFrom<BranchSource>(0, 1, 2, 3)
    fc.assert(
      fc.property(
        mutated,
        fc.constantFrom(...COMMANDS),
        fc.boolean(),
        branch,
        fc.constantFrom('b', 'é~'),
        (...given) => {
          expect(request(...given)).toEqual(referenceRequest(...given))
        },
      ),
      { numRuns: 4000 },
    )
  })

  it('holds the largest SDP a message can carry', () => {
    const head = 'INVITE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: c\r\n\r\n'
    const text = head + 'x'.repeat(65535 - head.length)
    expect(request(text, 'offer', true, 0, '')).toEqual(referenceRequest(text, 'offer', true, 0, ''))
  })

  it('uses the fragments of its own plan, whichever plan came before', () => {
    const message = Buffer.from(texts[0]!, 'latin1')
    const fields = scanSip(message)
    const fragments = ['', '1:ai1e', '2:bbi2e'].map((text) => Buffer.from(text))
    const plans = fragments.flatMap((flags) =>
      fragments.map((middle) => ({ command: 'query', flags, toTag: true, branch: 3, middle }) as const),
    )
    for (const plan of [...plans, ...plans.toReversed()]) {
      const { flags, middle } = plan
      const datagram = encodeRequest(message, { ...plan, branchValue: Buffer.from('xyz') }, 0, fields)
      expect(datagram.toString()).toMatch(
        new RegExp(`^d${flags}7:call-id.*10:via-branch3:xyz${middle}8:from-tag.*7:command5:querye$`),
      )
    }
  })

  it('refuses parameters beyond its room by name', () => {
    expect(request(texts[0]!, 'offer', true, 3, 'x'.repeat(70_000))).toBe('TOO_LARGE')
  })
})

/** The message with another SDP, by string surgery. */
function referenceRewrite(text: string, sdp: string): string {
  const message = referenceSip(text)!
  const body =
    text.slice(message.bodyStart, message.sdp![0]) + sdp + text.slice(message.sdp![1], message.bodyEnd)
  const head = text.slice(0, message.bodyStart)
  return (
    head.replace(
      /^(content-length|l)([ \t]*:[ \t]*)[0-9]+/gim,
      (_, name, colon) => `${name}${colon}${body.length}`,
    ) + body
  )
}

describe('a SIP message with the SDP of a reply', () => {
  const withSdp = texts.filter((text) => referenceSip(text)?.sdp !== undefined)

  /** Strings are compared at once, Buffers byte by byte: 60 kB of them take their time. */
  const asText = ({ message, sdp, ...more }: RewrittenMessage) => ({
    ...more,
    message: message.toString('latin1'),
    sdp: sdp.toString('latin1'),
  })

  it('differs from the message in nothing but the SDP and Content-Length', () => {
    const anySdp = fc.oneof(fc.string({ maxLength: 300 }), fc.constant('v'.repeat(60_000)), fc.constant(''))
    fc.assert(
      fc.property(fc.constantFrom(...withSdp), anySdp, (text, sdp) => {
        const reply = Buffer.concat([Buffer.from('cookie '), encode({ sdp, result: 'ok', warning: 'w' })])
        const latin1 = Buffer.from(sdp).toString('latin1')
        const message = Buffer.from(text, 'latin1')
        const wanted = { message: referenceRewrite(text, latin1), sdp: latin1, warning: 'w' }
        for (const fields of [undefined, scanSip(message)])
          expect(
            asText(rewriteMessage(message, reply, 7, 'offer', 'node', fields) as RewrittenMessage),
          ).toEqual(wanted)
        expect(replaceSdp(message, Buffer.from(sdp)).toString('latin1')).toBe(referenceRewrite(text, latin1))
      }),
      { numRuns: 200 },
    )
  })

  it('drops the bytes behind the body and rewrites every Content-Length', () => {
    const text =
      'ACK sip:a@b SIP/2.0\r\nl: 4\r\nContent-Type: application/sdp\r\nContent-Length : 4\r\n\r\nv=0\nREST'
    expect(replaceSdp(Buffer.from(text), Buffer.from('v=0\r\ns=-\r\n')).toString()).toBe(
      'ACK sip:a@b SIP/2.0\r\nl: 10\r\nContent-Type: application/sdp\r\nContent-Length : 10\r\n\r\nv=0\r\ns=-\r\n',
    )
  })

  it('rewrites every Content-Length, however it is written, round an SDP inside a multipart body', () => {
    const body =
      '--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nc:application/sdp\r\n\r\nv=0\r\n\r\n--b--\r\n'
    const length = body.length
    const text =
      `\r\nACK sip:a@b SIP/2.0\r\nl:${length}\r\nX: a\r\n folded: l\r\nContent-Type: multipart/mixed;boundary=b\r\n` +
      `CONTENT-length \t:\r\n\t0${length} \r\n \r\nX-Content-Length: ${length}\r\nL: ${length}\r\nY: ${length}\r\n\r\n${body}`
    const rewritten = text
      .replace(`l:${length}`, `l:${length + 5}`)
      .replace(`\t0${length}`, `\t${length + 5}`)
      .replace(`\r\nL: ${length}`, `\r\nL: ${length + 5}`)
      .replace('v=0\r\n', 'v=0\r\ns=-\r\n')
    const message = Buffer.from(`${text}left over`)
    const reply = encode({ sdp: 'v=0\r\ns=-\r\n', result: 'ok' })
    for (const fields of [undefined, scanSip(message)]) {
      expect(rewriteMessage(message, reply, 0, 'offer', 'node', fields)).toMatchObject({
        message: Buffer.from(rewritten),
        sdp: Buffer.from('v=0\r\ns=-\r\n'),
      })
    }
  })

  it('needs an SDP to replace', () => {
    const text = 'ACK sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n'
    expect(() => replaceSdp(Buffer.from(text), Buffer.from('v=0'))).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_NO_SDP' }),
    )
  })
})

describe('reading a reply', () => {
  const replies = rtpenginePairs
    .map(({ reply }) => bytes(reply ?? ''))
    .filter((reply) => reply.includes(' d'))

  it('finds result, reason and warning of every recorded reply', () => {
    expect(replies.length).toBeGreaterThan(80)
    for (const reply of replies) {
      const offset = reply.indexOf(' ') + 1
      const dictionary = decode(reply.subarray(offset), 'utf8') as Record<string, string>
      expect(readReply(reply, offset, 'x', 'node')).toMatchObject({
        resultText: dictionary.result,
        reason: dictionary['error-reason'] ?? dictionary.message,
        warning: dictionary.warning,
        hasSdp: dictionary.sdp !== undefined,
      })
    }
  })

  it('accepts exactly what the decoder accepts as a dictionary', () => {
    const accepted = (action: () => unknown) => {
      try {
        return action()
      } catch (error) {
        if (error instanceof RtpProxyNgError) return undefined
        throw error
      }
    }
    const edit = fc.tuple(
      fc.nat(400),
      fc.nat(2),
      fc.constantFrom('', 'd', 'l', 'e', 'i', '0', '1', '-', ':', '9', 'i-0e', '2:ab', 'de', 'le'),
    )
    const pieces = fc.array(
      fc.constantFrom(
        'd',
        'l',
        'e',
        'i1e',
        '1:a',
        '0:',
        'i-1e',
        'i9223372036854775807e',
        'i9223372036854775808e',
        'i',
        ':',
      ),
      { maxLength: 12 },
    )
    const candidates = fc.oneof(
      fc
        .tuple(
          fc.constantFrom(
            ...replies.map((reply) => reply.subarray(reply.indexOf(' ') + 1).toString('latin1')),
          ),
          fc.array(edit, { maxLength: 3 }),
        )
        .map(([text, edits]) =>
          edits.reduce(
            (result, [at, removed, inserted]) => result.slice(0, at) + inserted + result.slice(at + removed),
            text,
          ),
        ),
      pieces.map((list) => `d${list.join('')}e`),
    )
    fc.assert(
      fc.property(candidates, (text) => {
        const reply = Buffer.from(text, 'latin1')
        const decoded = accepted(() => decode(reply))
        const isDictionary =
          decoded !== undefined &&
          typeof decoded === 'object' &&
          !Array.isArray(decoded) &&
          !Buffer.isBuffer(decoded)
        expect(accepted(() => readReply(reply, 0, 'x', 'node')) !== undefined).toBe(isDictionary)
      }),
      { numRuns: 4000 },
    )
  })

  it('takes 64 levels of nesting and refuses one more, like the decoder', () => {
    const nested = (levels: number) => Buffer.from(`d1:a${'l'.repeat(levels - 1)}${'e'.repeat(levels - 1)}e`)
    expect(readReply(nested(64), 0, 'x', 'node').result).toBe('other')
    expect(decode(nested(64))).toBeDefined()
    expect(() => readReply(nested(65), 0, 'x', 'node')).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_REPLY' }),
    )
    expect(() => decode(nested(65))).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_BENCODE' }))
  })
})
