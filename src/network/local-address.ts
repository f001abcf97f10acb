import type { NetworkInterfaceInfo } from 'node:os'
import { optionError } from '../errors.ts'
import { net } from '../protocol/builtins.ts'
import { isIP } from '../protocol/ip.ts'

/** fe80::/10 (RFC 4291, section 2.5.6): says nothing without the interface it is meant on. */
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/i

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/**
 * The option `localAddress`: what sockets are bound to. A link-local IPv6 address gets the interface that has it, unless it names one
 * itself (`fe80::1%eth0`).
 *
 * @throws ConfigurationError `ERR_RTPPROXY_OPTION`
 */
export function checkLocalAddress(
  given: string | undefined,
  interfaces = (): Interfaces => process.getBuiltinModule('node:os').networkInterfaces(),
): string | undefined {
  if (given === undefined) return undefined
  if (isIP(given) === 0) throw optionError('localAddress', `'${String(given)}' is no IP address to send from`)
  if (!LINK_LOCAL.test(given) || given.includes('%')) return given
  const { SocketAddress } = net()
  const { address } = new SocketAddress({ address: given, family: 'ipv6' })
  for (const [name, infos = []] of Object.entries(interfaces()))
    if (infos.some((info) => info.address === address)) return `${given}%${name}`
  const why = `${given} is on no interface of this host; name one, as in ${given}%eth0`
  throw optionError('localAddress', why)
}
