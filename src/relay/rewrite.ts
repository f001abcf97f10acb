import { isIPv6 } from 'node:net'
import { type Range, type SdpLines, scanSdp } from '../core/sdp-lines.ts'
import type { Endpoint } from './stream.ts'

export interface Rewrite {
  /** IP address that stands for the relay. */
  readonly address: string
  /** Ports for the nth media section, counted from 0; undefined: the section stays as it is. */
  readonly ports: (index: number) => { readonly rtp: Endpoint; readonly rtcp: Endpoint } | undefined
  /** Whether `o=` gets the address too. */
  readonly replaceOrigin: boolean
  /** Whether everything of ICE (RFC 8839) is taken out. */
  readonly removeIce: boolean
}

const ICE_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...['candidate', 'end-of-candidates', 'remote-candidates', 'ice-ufrag', 'ice-pwd', 'ice-options'],
  ...['ice-lite', 'ice-mismatch', 'ice-pacing'],
])

/** 0.0.0.0 and :: put a party on hold (RFC 3264, 8.4), which an address of the relay would undo. */
export const isZeroAddress = (address: string): boolean => /^[0.:]+$/.test(address)

/**
 * The SDP with the relay in the place of its sender: addresses of `c=`, ports of `m=` and `a=rtcp`. Every other byte stays
 * as it is. The caller has parsed `bytes` before.
 */
export function rewriteSdp(bytes: Buffer, rewrite: Rewrite): Buffer {
  const lines = scanSdp(bytes)
  const network = `IN IP${isIPv6(rewrite.address) ? 6 : 4} ${rewrite.address}`
  const chunks: Uint8Array[] = []
  let copied = 0
  const replace = ({ start, end }: Range, text: string): void => {
    chunks.push(bytes.subarray(copied, start), Buffer.from(text))
    copied = end
  }
  /** The ports of the section at hand, and the port that its `m=` had. */
  let ports: ReturnType<Rewrite['ports']>
  let oldPort = 0
  for (let i = 0; i < lines.count; i++) {
    const section = lines.section(i)
    switch (lines.type(i)) {
      case 'o':
        if (rewrite.replaceOrigin && lines.address(i) !== undefined) replace(lines.networkAddress(i), network)
        break
      case 'c':
        if ((section === 0 || ports !== undefined) && !isZeroAddress(lines.text(lines.address(i)!))) {
          replace(lines.networkAddress(i), network)
        }
        break
      case 'm':
        oldPort = lines.port(i)
        ports = rewrite.ports(section - 1)
        if (ports !== undefined && oldPort !== 0) {
          replace({ start: lines.portRange(i).start, end: lines.protocol(i).start - 1 }, `${ports.rtp.port}`)
        }
        break
      case 'a': {
        const name = lines.attributeName(i)
        if (rewrite.removeIce && ICE_ATTRIBUTES.has(name)) replace(lines.line(i), '')
        else if (name === 'rtcp' && ports !== undefined && oldPort !== 0) {
          rewriteRtcp(lines, i, oldPort, ports, network, replace)
        }
      }
    }
  }
  chunks.push(bytes.subarray(copied))
  return Buffer.concat(chunks)
}

/** `a=rtcp:port [nettype addrtype address]` (RFC 3605); one that names the port of RTP means `a=rtcp-mux`. */
function rewriteRtcp(
  lines: SdpLines,
  i: number,
  oldPort: number,
  { rtp, rtcp }: NonNullable<ReturnType<Rewrite['ports']>>,
  network: string,
  replace: (range: Range, text: string) => void,
): void {
  const value = lines.attributeValue(i)
  const number = lines.attributeNumber(i)
  if (value === undefined || number < 0) return
  const port = number === oldPort ? rtp.port : rtcp.port
  replace(value, lines.text(value).includes(' ') ? `${port} ${network}` : `${port}`)
}
