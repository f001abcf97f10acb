import { isIP } from 'node:net'
import type { Call, Party } from '../../relay/call.ts'
import { type Request, refusal } from '../../relay/request.ts'

/** The parties of a call that have a tag. A party of several branches is there once for each. */
export function partiesOf(call: Call): Party[] {
  return call.dialogues.flatMap(({ parties }) => parties).filter(({ tag }) => tag !== undefined)
}

export function partiesNamed(call: Call, tag: string): Party[] {
  const named = partiesOf(call).filter((party) => party.isNamed(tag))
  if (named.length === 0) throw refusal('From-tag given, but no such tag exists')
  return named
}

/** The parties that `label`, else `address`, else `from-tag` picks; undefined when the command has none of them. */
export function selected(call: Call, request: Request): Party[] | undefined {
  const label = request.text('label') ?? request.text('from-label')
  if (label !== undefined) {
    return found('No monologue matching the given label', (party) => party.label === label)
  }
  const address = request.text('address')
  if (address !== undefined) {
    if (isIP(address) === 0) throw refusal('Failed to parse network address')
    return found('Failed to match address to any tag', ({ medias }) =>
      medias.some((media) => media?.description?.connection?.address === address),
    )
  }
  const tag = request.text('from-tag')
  return tag === undefined ? undefined : partiesNamed(call, tag)

  function found(reason: string, fits: (party: Party) => boolean): Party[] {
    const parties = partiesOf(call).filter(fits)
    if (parties.length === 0) throw refusal(reason)
    return parties
  }
}

/** As `selected`, for commands that must say whom they mean. */
export function participants(call: Call, request: Request): Party[] {
  const parties = isForAll(request) ? partiesOf(call) : selected(call, request)
  if (parties === undefined) throw refusal('No participant party specified')
  return parties
}

export function isForAll(request: Request): boolean {
  return request.text('all') === 'all' || request.has('flags', 'all')
}
