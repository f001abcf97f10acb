import { NgError } from '../../errors.ts'
import type { QueryReply } from '../../module/statistics.ts'
import type { NgParameters } from '../../protocol/vocabulary/types.ts'
import type { KamailioMessage } from '../message.ts'

/**
 * A text that the reply must have.
 *
 * @throws NgError `ERR_RTPPROXY_REPLY`
 */
export function textIn(reply: QueryReply, key: string, command: string): string {
  const { [key]: value } = reply
  if (typeof value === 'string') return value
  throw new NgError('ERR_RTPPROXY_REPLY', `${command}: the reply has no ${key}`, { command, node: undefined })
}

/** Puts who sends what into `$xavp(NAME[N]=>tag)` and `$xavp(NAME[N]=>label[M])`. */
export function noteStreams(msg: KamailioMessage, name: string, parties: unknown): void {
  if (!Array.isArray(parties)) return
  const root = /^(?:\$xavp\()?([A-Za-z0-9_.-]+)\)?$/.exec(name.trim())?.[1] ?? name
  parties.forEach((party: NgParameters, i) => {
    const { tag, medias } = party
    msg.assign({ key: `xavp:${root}[${i}]=>tag` }, tag === undefined ? undefined : String(tag))
    if (!Array.isArray(medias)) return
    medias.forEach((media, j) => {
      const { label } = media as NgParameters
      msg.assign({ key: `xavp:${root}[${i}]=>label[${j}]` }, label === undefined ? undefined : String(label))
    })
  })
}
