import type { ViaBranchChoice } from '../protocol/rtpengine-flags/flags.ts'
import type { NgParameters } from '../protocol/vocabulary/types.ts'
import type { Route } from './manage.ts'
import type { FlagGrammar } from './request/rtpengine-flags.ts'
import type { CallStatistics, QueryReply } from './statistics.ts'

/** What every call on a message may give. */
export interface CallOptions {
  /** Id of the set of media proxies to use. Default 0. */
  readonly set?: number | undefined
  /** Ends the call: it rejects with `ERR_RTPPROXY_ABORTED`, and a late reply is dropped. */
  readonly signal?: AbortSignal | undefined
  /** How long the call may take in all, in milliseconds; then it rejects with `ERR_RTPPROXY_NO_NODE`. Default: the client's. */
  readonly deadlineMs?: number | undefined
  /** URL of the media proxy that alone is to get the command, whatever the set and the memory of calls say. */
  readonly node?: string | undefined
  /**
   * Names one of several media proxies that the call goes through in a row, each of a set of its own: which one has this leg is remembered
   * apart from the others. Default: the call goes through one.
   */
  readonly leg?: string | undefined
  /** The token of an earlier result for the same Call-ID, as the dialog brought it back: names the call's media proxy. */
  readonly token?: string | undefined
}

/** What every command made of a message may give. */
export interface MessageOptions extends CallOptions {
  /** Flags in the words of the `rtpengine` modules (`replace-origin ICE=remove RTP/SAVPF`), read as the option `flagGrammar` says. */
  readonly rtpengineFlags?: string | undefined
  /** Further parameters of the NG command, each in place of what message and flags give under the same key. */
  readonly parameters?: NgParameters | undefined
  /** Who reads `rtpengineFlags`. Default: as the option of the client. */
  readonly flagGrammar?: FlagGrammar | undefined
  /** Which branch goes along as `via-branch`: as `via-branch=` in `rtpengineFlags`, which it stands above. */
  readonly viaBranch?: ViaBranchChoice | undefined
  /** SDP to hand over instead of the message's. */
  readonly sdp?: string | Uint8Array | undefined
  /** Value for `via-branch=next`: the branch of the Via that goes on top of the request. */
  readonly nextBranch?: string | undefined
  /** Value of `via-branch` for flag `b` and for `via-branch=extra`; default: what the option `extraId` finds in the message. */
  readonly extraId?: string | null | undefined
}

export interface DestroyOptions extends MessageOptions {
  /** The module's flag letters; default none. */
  readonly flags?: string | undefined
}

export interface OfferOptions extends DestroyOptions {
  /** IP address that the media proxy is to put into the SDP instead of its own (`media address`). */
  readonly address?: string | undefined
}

export interface ManageOptions extends OfferOptions {
  /** The route the message is in; only `'failure'` changes anything. Default: by the message. */
  readonly route?: Route | undefined
  /** The caller's own transaction object, the same for a request and its replies; default: remembered here. */
  readonly transaction?: object | undefined
}

/** Which media proxy did it. */
export interface CommandResult {
  /** URL of the media proxy, as configured. */
  readonly node: string
  /** `warning` of the reply, if it had one. */
  readonly warning: string | undefined
}

/** A whole reply, and where it came from. */
export interface NodeReply {
  /** URL of the media proxy, as configured. */
  readonly node: string
  /** The decoded reply, strings as text. */
  readonly reply: QueryReply
}

/** What became of a delete. */
export interface DestroyResult extends CommandResult {
  /** The media proxy of the call is out of order: the delete is kept, and sent when it is back. */
  readonly remembered: boolean
}

/** A message whose SDP now leads to the media proxy. */
export interface RewriteResult extends CommandResult {
  /** The whole message as it is to be sent on, in a Buffer of its own. */
  readonly message: Buffer
  /** The SDP in it, a view into `message`. */
  readonly sdp: Buffer
  /** Names the media proxy to whoever has the key; 28 characters of `A-Z a-z 0-9 - _`. Undefined without the option `tokenKey`. */
  readonly token: string | undefined
}

/** What `manage` did: `command` is null, and the message as it came, when there was nothing to do. */
export type ManageResult =
  | ({ readonly command: 'offer' | 'answer' } & RewriteResult)
  | ({ readonly command: 'delete'; readonly message: Buffer; readonly sdp: undefined } & DestroyResult)
  | {
      readonly command: null
      readonly message: Buffer
      readonly sdp: undefined
      readonly node: undefined
      readonly warning: undefined
    }

export interface StatisticsResult extends CallStatistics {
  readonly node: string
  /** `Input: B bytes, P packets, E errors; Output: B bytes, P packets, E errors`, as `$rtpstat`. */
  readonly text: string
  readonly reply: QueryReply
}

/** A call that was moved to another media proxy: what its parties are to be told in a re-INVITE. */
export interface ReanchorResult {
  /** The media proxy that has the call now. */
  readonly node: string
  /** The one that had it. */
  readonly previous: string | undefined
  /** Tag of the party that made the last offer; `sdpForOfferer` is for it. */
  readonly offererTag: string
  /** Tag of the party that answered, if one has. */
  readonly answererTag: string | undefined
  /** Goes to the party that answered, or is to answer. */
  readonly sdpForAnswerer: Buffer
  /** Goes to the party that offered; undefined if nobody has answered yet. */
  readonly sdpForOfferer: Buffer | undefined
}
