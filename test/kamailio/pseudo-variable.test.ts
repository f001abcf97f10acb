import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../src/errors.ts'
import { KamailioMessage } from '../../src/kamailio/message.ts'
import { compilePseudoVariables, type PseudoVariableContext } from '../../src/kamailio/pseudo-variable.ts'

const text = [
  'INVITE sip:bob:secret@example.com;transport=udp SIP/2.0',
  'From: "Alice <sip:no@no>" <sip:alice@example.com>;tag=f',
  'To: tel:+1234;tag=t',
  'Call-ID: c@h',
  'X-Branch:  b1 ',
  '',
  '',
].join('\r\n')
const request = new KamailioMessage(Buffer.from(text), { address: '127.0.0.1' }, { avp: { x: 'v', n: 5 } })
const reply = new KamailioMessage(
  Buffer.from(text.replace(/^.*/, 'SIP/2.0 200 OK')),
  { address: '127.0.0.1' },
  {},
)
const nothing: PseudoVariableContext['message'] = {
  header: () => undefined,
  callId: undefined,
  fromTag: undefined,
  toTag: undefined,
  requestUri: undefined,
  from: undefined,
  to: undefined,
}
const evaluateOn = (format: string, message: Partial<typeof nothing>) =>
  compilePseudoVariables(format).evaluate({
    message: { ...nothing, ...message },
    avp: () => undefined,
    variable: () => undefined,
  })
const evaluate = (format: string, message = request) => compilePseudoVariables(format).evaluate(message)

describe('the format of extra_id_pv', () => {
  it.each([
    ['$avp(x)', 'v'],
    ['$avp(s:x)', 'v'],
    ['$(avp(x))', 'v'],
    ['$avp(n)', '5'],
    ['$hdr(X-Branch)', 'b1'],
    ['$hdr(x-branch)', 'b1'],
    ['$ci', 'c@h'],
    ['$ft-$tt', 'f-t'],
    ['$(ft)x', 'fx'],
    ['$rU', 'bob'],
    ['$fU', 'alice'],
    ['$tU', '+1234'],
    ['a $$ b', 'a $ b'],
    ['plain', 'plain'],
  ])('reads %s', (format, value) => {
    expect(evaluate(format)).toBe(value)
  })

  it('has no value when a variable in it has none', () => {
    expect(['$avp(missing)', 'a$hdr(Missing)b'].map((format) => evaluate(format))).toEqual([null, null])
    expect(evaluate('$rU', reply)).toBeNull()
    expect(evaluate('$avp(__proto__)')).toBeNull()
  })

  it.each([
    '$ua',
    '$sht(x=>y)',
    '$avp',
    '$avp(x',
    '$avp()',
    '$(ci',
    '$(ci{s.len})',
    '$',
    'a$',
    '$hdr(a b)',
    '$constructor',
    '$cix',
  ])('refuses %s at load and lists what there is', (format) => {
    expect(() => compilePseudoVariables(format)).toThrow(
      expect.objectContaining({
        code: 'ERR_RTPPROXY_OPTION',
        option: 'extra_id_pv',
        message: expect.stringContaining('$avp(x)'),
      }),
    )
  })

  it.each([
    ['$(ci{s.len})', "'$(ci{s.len})'"],
    ['a $avp(x b', "'$avp(x'"],
    ['$ci $xyz$ft', "'$xyz'"],
  ])('names what it refuses in %s', (format, what) => {
    expect(() => compilePseudoVariables(format)).toThrow(what)
  })

  it.each([
    ['sips:Bob;day=tuesday@example.com:5061', 'Bob;day=tuesday'],
    ['SIP:a%40b@[2001:db8::1]', 'a%40b'],
    ['tel:+1-201-555-0123;phone-context=example.com', '+1-201-555-0123'],
    ['sip:example.com', null],
    ['sip:[2001:db8::1]:5060;lr', null],
    ['sip::secret@example.com', null],
    ['tel:;x', null],
    ['urn:service:sos', null],
    ['', null],
  ])('takes the user of %s', (requestUri, user) => {
    expect(evaluateOn('$rU', { requestUri })).toBe(user)
  })

  it.each([
    ['<sip:a@h>', 'a'],
    ['Alice Doe <sip:a;x=y@h;lr>;tag=1', 'a;x=y'],
    ['"\\"<sip:no@h>\\\\" < sip:a@h >;tag=1', 'a'],
    ['sip:a@h;tag="<sip:no@h>"', 'a'],
    ['sip:a@h;tag=1', 'a'],
    ['"only a name"', null],
  ])('finds the URI in the header value %s', (from, user) => {
    // RFC 3261, 20.20: without angle brackets everything behind the first semicolon belongs to the header.
    expect(evaluateOn('$fU', { from })).toBe(user)
    expect(evaluateOn('$tU', { to: from })).toBe(user)
  })

  it('compiles or refuses any text', () => {
    const piece = fc.constantFrom('$', '(', ')', 'avp', 'ci', 'x', ':', '{', '}', ' ', '$$', 'hdr')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        try {
          const value = evaluate(pieces.join(''))
          expect(value === null || typeof value === 'string').toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
        }
      }),
    )
  })
})
