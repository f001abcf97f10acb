const SECURE = 1
const FEEDBACK = 2
const DTLS = 4

/** By bits. DTLS is secure by itself, so the bit for SRTP changes nothing there. */
const PROTOCOLS = [
  'RTP/AVP',
  'RTP/SAVP',
  'RTP/AVPF',
  'RTP/SAVPF',
  'UDP/TLS/RTP/SAVP',
  'UDP/TLS/RTP/SAVP',
  'UDP/TLS/RTP/SAVPF',
  'UDP/TLS/RTP/SAVPF',
] as const

/** A step from the bits before to the bits behind a word. */
const STEPS: ReadonlyMap<string, (bits: number) => number> = new Map<string, (bits: number) => number>([
  ['RTP', (bits) => bits & ~SECURE],
  ['SRTP', (bits) => bits | SECURE],
  ['AVP', (bits) => bits & ~FEEDBACK],
  ['AVPF', (bits) => bits | FEEDBACK],
  ['DTLS', (bits) => bits | DTLS],
  ['RTP/AVP', () => 0],
  ['RTP/SAVP', () => SECURE],
  ['RTP/AVPF', () => FEEDBACK],
  ['RTP/SAVPF', () => SECURE | FEEDBACK],
  ['UDP/TLS/RTP/SAVP', () => DTLS],
  ['UDP/TLS/RTP/SAVPF', () => DTLS | FEEDBACK],
])

/** The words that name a transport protocol, whole (`RTP/SAVPF`) or in parts (`SRTP AVPF`). */
export const TRANSPORT_WORDS: readonly string[] = [...STEPS.keys()]

/** The bits of a transport protocol after one more word. Words begin from RTP/AVP, and the last ones count. */
export function transportBits(bits: number | undefined, word: string): number {
  return STEPS.get(word)!(bits ?? 0)
}

export function transportName(bits: number): string {
  return PROTOCOLS[bits]!
}

/** Whether one word is enough to say it. */
export function isTransportName(value: unknown): value is string {
  return (PROTOCOLS as readonly unknown[]).includes(value)
}
