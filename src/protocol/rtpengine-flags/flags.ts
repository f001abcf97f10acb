import type { BencodeInput } from '../../core/bencode.ts'

/** Where the value of `via-branch` comes from. `none` is a choice of callers; no flag string can say it. */
export type ViaBranchChoice =
  | 'none'
  | '1'
  | '2'
  | 'auto'
  | 'extra'
  | 'next'
  | 'auto-next'
  | 'next-auto'
  | 'auto-extra'
  | 'extra-auto'

/** What a flag string in the words of an `rtpengine` module asks for. Frozen, all through. */
export interface RtpengineFlags {
  /**
   * Pairs of the NG dictionary, in the order in which the module writes them: strings, integers, lists of strings and
   * nested dictionaries. Names are hyphenated (`address-family`), which rtpengine reads like the spelling with spaces.
   */
  readonly parameters: { readonly [key: string]: BencodeInput }
  /** `via-branch=`, or the text that `via-branch-param=` gives. */
  readonly viaBranch: ViaBranchChoice | { readonly value: string } | undefined
  /** `call-id=`, in place of the message's. */
  readonly callId: string | undefined
  /** `from-tag=`, in place of the message's. */
  readonly fromTag: string | undefined
  /** `to-tag=`, in place of the message's. */
  readonly toTag: string | undefined
  /** `to-tag`, with or without a value: the tag goes along in commands that leave it out otherwise (`delete`). */
  readonly sendsToTag: boolean
  /** `received-from=`: the IP address that stands in place of the message's source. */
  readonly receivedFrom: string | undefined
  /**
   * `directional` or `from-tag=`: commands that concern the whole call otherwise (`block media`) name the party in
   * `from-tag`, and the tags keep their roles in replies.
   */
  readonly directional: boolean
  /** `force-answer`: the offer is sent as an answer. */
  readonly forceAnswer: boolean
}
