import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Field, rangeEnd, rangeStart, scanHeaders, scanSip, viaCount } from '../../src/core/sip.ts'
import { RtpProxyNgError } from '../../src/errors.ts'
import { bytes, moduleCalls } from '../vectors.ts'
import { type ReferenceMessage, referenceSip } from './reference-sip.ts'

/** The scan's findings in the reference's terms; undefined when it refuses. */
function scanned(text: string): ReferenceMessage | undefined {
  const buffer = Buffer.from(text, 'latin1')
  let fields: Int32Array
  let headers: Int32Array
  try {
    fields = scanSip(buffer)
    headers = scanHeaders(buffer)
  } catch (error) {
    if (error instanceof RtpProxyNgError) return undefined
    throw error
  }
  const range = (index: number) => text.slice(rangeStart(fields[index]!), rangeEnd(fields[index]!))
  const present = (index: number) => (fields[index] === 0 ? undefined : range(index))
  const message: ReferenceMessage = {
    kind: fields[Field.METHOD] !== 0 ? 'request' : 'reply',
    viaCount: viaCount(fields),
    branches: [present(Field.BRANCH), present(Field.BRANCH + 1)],
    bodyStart: rangeStart(fields[Field.BODY]!),
    bodyEnd: rangeEnd(fields[Field.BODY]!),
    headers: [],
  }
  for (let i = 0; i < headers.length; i += 4) {
    message.headers.push([text.slice(headers[i], headers[i + 1]), text.slice(headers[i + 2], headers[i + 3])])
  }
  const set = (name: 'callId' | 'fromTag' | 'toTag' | 'contentType' | 'cseqMethod', index: number) => {
    const value = present(index)
    if (value !== undefined) message[name] = value
  }
  set('callId', Field.CALL_ID)
  set('fromTag', Field.FROM_TAG)
  set('toTag', Field.TO_TAG)
  set('contentType', Field.CONTENT_TYPE)
  set('cseqMethod', Field.CSEQ_METHOD)
  if (message.kind === 'request') {
    message.method = range(Field.METHOD)
    message.uri = range(Field.REQUEST_URI)
  } else message.status = fields[Field.STATUS]!
  if (message.cseqMethod !== undefined) message.cseq = fields[Field.CSEQ]! >>> 0
  if (fields[Field.SDP] !== 0) message.sdp = [rangeStart(fields[Field.SDP]!), rangeEnd(fields[Field.SDP]!)]
  return message
}

/** The reference has tags it looked for and did not find; the scan leaves them out. */
function expected(text: string): ReferenceMessage | undefined {
  const message = referenceSip(text)
  if (message === undefined) return undefined
  return Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== undefined),
  ) as unknown as ReferenceMessage
}

const request = (headers: string[], body = '') =>
  `INVITE sip:bob@example.com SIP/2.0\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`

describe('the SIP header scan', () => {
  it('agrees with the reference on every recorded message', () => {
    for (const call of moduleCalls) {
      const text = bytes(call.sip_in).toString('latin1')
      expect(expected(text), call.name).toBeDefined()
      expect(scanned(text), call.name).toEqual(expected(text))
    }
  })

  it('reads compact, oddly cased and spaced header names', () => {
    const message = scanned(
      request(['v: SIP/2.0/UDP a;branch=z1', 'I \t: abc', 'f:<sip:a@b>;tag=1', 'T : <sip:b@c>;tag=2', 'L:0']),
    )
    expect(message).toMatchObject({ callId: 'abc', fromTag: '1', toTag: '2', branches: ['z1', undefined] })
  })

  it('ends lines at bare LF as well as at CRLF', () => {
    const text = request(['Call-ID: abc', 'From: <sip:a@b>;tag=1', 'Content-Type: application/sdp'], 'v=0\n')
    expect(scanned(text.replaceAll('\r\n', '\n'))).toMatchObject({
      callId: 'abc',
      fromTag: '1',
      sdp: [101, 105],
    })
  })

  it('follows a header over folded lines', () => {
    expect(
      scanned(request(['From: "A"\r\n <sip:a@b>\r\n\t;tag=\r\n folded', 'Call-ID:\r\n x'])),
    ).toMatchObject({
      fromTag: 'folded',
      callId: 'x',
    })
  })

  it('takes comments and quotes in Via for what they are', () => {
    const via =
      'Via: SIP/2.0/UDP a (b, c;branch=no);x="d, e;branch=no";branch=yes (f), SIP/2.0/UDP [::1]:5060;branch="q"'
    expect(scanned(request([via]))).toMatchObject({ viaCount: 2, branches: ['yes', 'q'] })
  })

  it('finds the tag behind quoted names, URI parameters, comments and a smiley', () => {
    const tags = [
      '"x;tag=no <sip:c@d>" <sip:a@b;tag=no>;tag=yes',
      '"a \\" ;tag=no" <sip:a@b>;q;tag=yes',
      'sip:a@b;tag=yes',
      '(c <sip:no@no>;tag=no) <sip:a@b>;tag=yes',
      '<sip:a@b> (;tag=no) ; TAG = yes (x)',
      'Bob :( <sip:a@b>;tag=yes',
      '<sip:a@b>;tag="yes"',
    ]
    for (const value of tags) expect(scanned(request([`From: ${value}`]))?.fromTag, value).toBe('yes')
  })

  it('uses the first of a header that may stand only once', () => {
    expect(
      scanned(request(['Call-ID: a', 'Call-ID: b', 'From: <sip:a@b>;tag=1', 'f: <sip:a@b>;tag=2'])),
    ).toMatchObject({
      callId: 'a',
      fromTag: '1',
    })
  })

  it('cuts off what Content-Length leaves over, and finds no SDP when it asks for more than there is', () => {
    const headers = ['Content-Type: application/sdp', 'Content-Length: 5']
    const cut = scanned(request(headers, 'v=0\r\nGARBAGE'))!
    expect(cut.sdp).toEqual([cut.bodyStart, cut.bodyStart + 5])
    expect(scanned(request(headers, 'v=0'))!.sdp).toBeUndefined()
  })

  it.each([
    ['an empty message', ''],
    ['no start line', '\r\n\r\n'],
    ['another protocol', 'GET / HTTP/1.1\r\n\r\n'],
    ['a status code out of range', 'SIP/2.0 700 X\r\n\r\n'],
    ['a header without a colon', request(['Call-ID abc'])],
    ['white space in a header name', request(['Call ID: abc'])],
    ['a header section without an end', 'INVITE sip:a@b SIP/2.0\r\nCall-ID: a\r\n'],
    ['contradictory Content-Lengths', request(['Content-Length: 1', 'l: 2'], 'ab')],
    ['a Content-Length that is no number', request(['Content-Length: 1x'], 'ab')],
    ['a CSeq without a number', request(['CSeq: INVITE'])],
    ['a CSeq number beyond 32 bits', request(['CSeq: 4294967296 INVITE'])],
  ])('refuses %s and says where', (_, text) => {
    expect(() => scanSip(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'ERR_RTPPROXY_SIP', offset: expect.any(Number) }),
    )
  })

  it('takes 65,535 bytes and refuses one more', () => {
    const head = request(['Call-ID: a'])
    const fields = scanSip(Buffer.from(head + 'x'.repeat(65535 - head.length)))
    expect(rangeEnd(fields[Field.BODY]!)).toBe(65535)
    expect(() => scanSip(Buffer.alloc(65536))).toThrow(expect.objectContaining({ code: 'ERR_RTPPROXY_SIP' }))
  })

  it('has room for as many headers as fit into a message', () => {
    const text = `INVITE sip:a@b SIP/2.0\n${'a:\n'.repeat(21800)}\n`
    expect(scanHeaders(Buffer.from(text)).length).toBe(21800 * 4)
  })

  it('takes time in proportion to the size of hostile values', () => {
    const filler = ['(', '"', ',', ';', '<', '(\\', ';a="', '--b\n'].map((piece) =>
      piece.repeat(Math.floor(60000 / piece.length)),
    )
    const started = process.cpuUsage()
    for (const text of filler) {
      scanned(
        request([`Via: ${text.replaceAll('\n', '')}`, `From: ${text.replaceAll('\n', '')}`]).slice(0, 65535),
      )
      scanSip(Buffer.from(request(['Content-Type: multipart/mixed;boundary=b'], text)))
    }
    // Of the processor, so that what else the machine does is not counted.
    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1000).toBeLessThan(2000)
  })
})

// Pieces that make headers interesting, so that random messages hit the rules rather than the error for nonsense.
const piece = fc.constantFrom(
  ...[
    'a',
    'tag',
    '=',
    ';',
    ',',
    '"',
    '\\',
    '(',
    ')',
    '<',
    '>',
    ' ',
    '\t',
    '\r\n ',
    '\n\t',
    ':',
    'branch',
    'x@y',
    'TAG',
    '[::1]',
    'é',
    '\0',
    '--',
    'b',
  ],
)
const value = fc.array(piece, { maxLength: 24 }).map((parts) => parts.join(''))
const name = fc.constantFrom(
  'Via',
  'v',
  'From',
  'f',
  'To',
  't',
  'Call-ID',
  'i',
  'CALL-id',
  'X-Y',
  'Route',
  'CSeq',
)
const typed = fc.constantFrom(
  ...[
    'application/sdp',
    'Application / SDP ;x',
    'text/plain',
    'multipart/mixed;boundary=b',
    'multipart/related; x="y;z";boundary="b"',
    'multipart/mixed',
    'm',
  ],
)
const number = fc.constantFrom('0', '1', '20', '99999999999', '1x', '')
const header = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(name, fc.constantFrom('', ' ', '\t'), value)
      .map(([n, blank, v]) => `${n}${blank}: ${v}`),
  },
  { weight: 1, arbitrary: typed.map((type) => `Content-Type: ${type}`) },
  { weight: 1, arbitrary: number.map((digits) => `Content-Length: ${digits}`) },
  { weight: 1, arbitrary: fc.tuple(number, value).map(([digits, method]) => `CSeq: ${digits} ${method}`) },
)
const bodyLine = fc.constantFrom(
  ...[
    'v=0',
    '--b',
    '--b--',
    '--b ',
    '--bb',
    'Content-Type: application/sdp',
    'content-type : Multipart/Mixed;boundary=b',
    'c: application/sdp;x',
    'Content-Transfer-Encoding: base64',
    'Content-Transfer-Encoding: 8bit',
    '',
    '',
    ' folded',
    'x',
  ],
)
const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n')
const body = fc.array(fc.tuple(bodyLine, end), { maxLength: 14 }).map((lines) => lines.flat().join(''))
const start = fc.constantFrom(
  'INVITE sip:a@b SIP/2.0',
  'SIP/2.0 200 OK',
  'SIP/2.0 183',
  'sip/2.0 404 Not',
  'ACK  SIP/2.0',
  '\r\n\r\nBYE x SIP/2.0',
)
const message = fc
  .tuple(start, fc.array(fc.tuple(header, end), { maxLength: 8 }), end, body)
  .map(([first, headers, last, content]) => `${first}\r\n${headers.flat().join('')}${last}${content}`)

describe('the SIP header scan, against the reference', () => {
  it('agrees on messages made of interesting pieces', () => {
    fc.assert(
      fc.property(message, (text) => {
        expect(scanned(text)).toEqual(expected(text))
      }),
      { numRuns: 5000 },
    )
  })

  it('agrees on mutated recordings', () => {
    const texts = moduleCalls.map((call) => bytes(call.sip_in).toString('latin1'))
    const mutation = fc.tuple(
      fc.nat(1500),
      fc.nat(3),
      fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 3 })),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (original, mutations) => {
          let text = original
          for (const [at, removed, inserted] of mutations)
            text = text.slice(0, at) + inserted + text.slice(at + removed)
          const latin1 = Buffer.from(text, 'latin1').toString('latin1')
          expect(scanned(latin1)).toEqual(expected(latin1))
        },
      ),
      { numRuns: 5000 },
    )
  })
})
