import type { LookupFunction } from 'node:net'
import { isIP } from '../../protocol/ip.ts'
import { type NameResolver, systemNames } from '../names.ts'
import type { WebOptions } from './address.ts'
import { unresolved } from './failure.ts'

/** What the web transports take: the option `web`, and what they have in common with the others. */
export interface WebWay extends WebOptions {
  /** Who looks the host up. Default: the system. */
  readonly resolver?: NameResolver | undefined
  readonly localAddress?: string | undefined
}

/** How Node makes their connections: options of `net.connect`. */
export interface Connecting {
  readonly lookup: LookupFunction
  readonly localAddress: string | undefined
}

/**
 * A name leads to its first address, as over TCP: of the family of `localAddress`; without one IPv4, and IPv6 where there is no IPv4 address,
 * since no scheme asks for it. Certificates and the header `Host` are still about the name.
 */
export function connecting({ resolver = systemNames, localAddress }: WebWay): Connecting {
  const family = localAddress === undefined ? undefined : isIP(localAddress) === 6 ? 6 : 4
  const lookup: LookupFunction = (host, { all }, told) => {
    firstAddress(resolver, host, family).then(
      (address) => {
        if (all) told(null, [{ address, family: isIP(address) }])
        else told(null, address, isIP(address))
      },
      (cause) => told(unresolved(cause), ''),
    )
  }
  return { lookup, localAddress }
}

async function firstAddress(names: NameResolver, host: string, family: 4 | 6 | undefined): Promise<string> {
  const first = async (family: 4 | 6): Promise<string> => {
    const [address] = await names.addresses(host, family)
    if (address === undefined || isIP(address) === 0) throw new Error(`${host} has no address`)
    return address
  }
  if (family !== undefined) return first(family)
  try {
    return await first(4)
  } catch (cause) {
    // Who was silent so long is not asked again.
    if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ETIMEOUT') throw cause
    return first(6).catch(() => Promise.reject(cause))
  }
}
