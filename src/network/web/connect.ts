import type { LookupAddress } from 'node:dns'
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
 * A name leads to its addresses, which Node tries one after the other: those of the family of `localAddress`; without one IPv4 before IPv6,
 * since no scheme asks for either. Certificates and the header `Host` are still about the name.
 */
export function connecting({ resolver = systemNames, localAddress }: WebWay): Connecting {
  const families: readonly (4 | 6)[] =
    localAddress === undefined ? [4, 6] : [isIP(localAddress) === 6 ? 6 : 4]
  const lookup: LookupFunction = (host, { all }, told) => {
    addressesOf(resolver, host, families).then(
      (found) => {
        if (all) told(null, found)
        else told(null, found[0]!.address, found[0]!.family)
      },
      (cause) => told(unresolved(cause), ''),
    )
  }
  return { lookup, localAddress }
}

async function addressesOf(
  names: NameResolver,
  host: string,
  families: readonly (4 | 6)[],
): Promise<LookupAddress[]> {
  const answers = await Promise.allSettled(families.map((family) => names.addresses(host, family)))
  const found = answers
    .flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    .map((address) => ({ address, family: isIP(address) }))
    .filter(({ family }) => family !== 0)
  if (found.length > 0) return found
  const failed = answers.find((answer) => answer.status === 'rejected')
  throw failed === undefined ? new Error(`${host} has no address`) : failed.reason
}
