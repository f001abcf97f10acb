/** A call that a media proxy has ended by itself, since no media came any more or nobody answered. */
export interface MediaTimeout {
  /** The call; undefined if rtpengine tells tags alone (`--xmlrpc-format=0`, the default of rtpengine). */
  readonly callId: string | undefined
  /** Tags of its parties, as far as they are told: with format 0 one, with format 1 none, with format 2 both. */
  readonly tags: readonly string[]
  /** IP address of the host that told it. */
  readonly source: string
}

const METHOD = /<methodName>([^<]*)<\/methodName>/
/** Without a type a value is a string (XML-RPC, "Scalar values"). */
const VALUES = /<value>(?:<string>)?([^<]*)</g
const ENTITY = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(\w{1,4}));/gi
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * What a `methodCall` of rtpengine says: `teardown` with the Call-ID (OpenSIPS calls it `rtpengine:teardown`), Kamailio's
 * `dlg.terminate_dlg` with Call-ID and both tags, or the `di` of SEMS with one tag. Undefined for anything else.
 */
export function timeoutOf(xml: string, source: string): MediaTimeout | undefined {
  const method = METHOD.exec(xml)?.[1]?.trim()
  const values = [...xml.matchAll(VALUES)].map(([, text = '']) => unescaped(text))
  const [first, second, third, fourth] = values
  switch (method) {
    case 'teardown':
    case 'rtpengine:teardown':
    case 'rtpengine_teardown':
      return first ? { callId: first, tags: [], source } : undefined
    case 'dlg.terminate_dlg':
      return first ? { callId: first, tags: values.slice(1, 3).filter(Boolean), source } : undefined
    case 'di':
      if (first !== 'sbc' || second !== 'postControlCmd' || fourth !== 'teardown' || !third) return undefined
      return { callId: undefined, tags: [third], source }
    default:
      return undefined
  }
}

function unescaped(text: string): string {
  return text.replace(ENTITY, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name] ?? whole
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

/** The answer that rtpengine is content with. */
export const DONE =
  '<?xml version="1.0"?><methodResponse><params><param><value><string>ok</string></value></param></params></methodResponse>'

/** The answer to what is no news of a call. */
export const FAULT =
  '<?xml version="1.0"?><methodResponse><fault><value><struct><member><name>faultCode</name><value><int>-1</int></value></member><member><name>faultString</name><value><string>not understood</string></value></member></struct></value></fault></methodResponse>'
