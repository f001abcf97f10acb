import type { BencodeValue } from '../../core/bencode.ts'
import type { NgCommandName } from '../vocabulary/commands.ts'

/** A decoded reply, its strings as text; integers beyond 2^53 are bigints. */
export type NgReply = { readonly [key: string]: BencodeValue<string> }

/** What every reply may have. */
export interface Answered extends NgReply {
  readonly result: string
}

/** `ok` with a text that something was odd, such as the delete of a call that does not exist. */
export type Warned = Answered & { readonly warning?: string }

/** With the SDP for the other party. A consumed trickle-ICE fragment gives none. */
export type WithSdp = Warned & { readonly sdp: string; readonly recordings?: string[] }

/** Which party of which call something was made for. */
export type PartyReply = Warned & { readonly 'call-id': string; readonly 'from-tag': string }

/** What each command answers when it did what it was asked for, by rtpengine's manual and source. */
export interface NgReplies extends Record<NgCommandName, Warned> {
  ping: Warned & { readonly result: 'pong' }
  offer: WithSdp
  answer: WithSdp
  list: Warned & { readonly calls: string[] }
  statistics: Warned & { readonly statistics: NgReply }
  /** `duration` in milliseconds, where rtpengine knows it. */
  'play media': Warned & { readonly duration?: number }
  'stop media': Warned & { readonly 'last-frame-pos'?: number }
  publish: WithSdp & PartyReply
  'subscribe request': WithSdp & {
    readonly 'to-tag': string
    /** Of a single party. */
    readonly 'from-tag'?: string
    readonly 'from-tags'?: string[]
    /** With the flag `SIPREC`: which party each medium comes from. */
    readonly 'tag-medias'?: BencodeValue<string>[]
    readonly 'media-labels'?: NgReply
  }
  create: WithSdp & PartyReply
  cli: Warned & { readonly response: string }
  /** `media`: dictionaries of `id`, `family`, `address` and `port`. */
  transform: PartyReply & { readonly media: BencodeValue<string>[] }
}

export type ReplyTo<Name extends NgCommandName> = NgReplies[Name]
