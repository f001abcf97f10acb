import { net } from './builtins.ts'

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`)

/** Dotted decimals without leading zeros (RFC 3986, 3.2.2, "IPv4address"). */
export function isIPv4(text: string): boolean {
  return IPV4.test(text)
}

/** What `net.isIPv6` says, which is not asked where there is no colon. */
export function isIPv6(text: string): boolean {
  return text.includes(':') && net().isIPv6(text)
}

/** 4 or 6, or 0 for what is no IP address, or no text. */
export function isIP(text: unknown): 0 | 4 | 6 {
  if (typeof text !== 'string') return 0
  if (isIPv4(text)) return 4
  return isIPv6(text) ? 6 : 0
}
