import { EventEmitter } from 'node:events'
import type { NgCommandName } from '../vocabulary/commands.ts'
import type { ParametersOf } from '../vocabulary/types.ts'
import type { ReplyTo } from './replies.ts'

/**
 * The NG commands beside those a call is made of, a method each. It takes parameters, or a `Message` that says which call and party is
 * meant; a method resolves with the decoded reply and rejects as the class that sends it says. What each takes and answers:
 * docs/reference.md.
 */
export abstract class NgCommands<
  Message,
  Options,
  // biome-ignore lint/complexity/noBannedTypes: what EventEmitter itself takes for "no events"
  Events extends Record<keyof Events, unknown[]> = {},
> extends EventEmitter<Events> {
  /** Any of the commands by its name. */
  abstract command<Name extends NgCommandName>(
    name: Name,
    call?: Message | ParametersOf<Name> | undefined,
    options?: Options | undefined,
  ): Promise<ReplyTo<Name>>

  /** Whether it is there and answers. */
  ping(options?: Options): Promise<ReplyTo<'ping'>> {
    return this.command('ping', undefined, options)
  }

  /** Call-IDs of the calls it has: `limit` of them, 32 unless given. */
  list(parameters?: Message | ParametersOf<'list'>, options?: Options): Promise<ReplyTo<'list'>> {
    return this.command('list', parameters, options)
  }

  /** One line of rtpengine's command line interface, as `body`. */
  cli(parameters: Message | ParametersOf<'cli'>, options?: Options): Promise<ReplyTo<'cli'>> {
    return this.command('cli', parameters, options)
  }

  stopRecording(
    call: Message | ParametersOf<'stop recording'>,
    options?: Options,
  ): Promise<ReplyTo<'stop recording'>> {
    return this.command('stop recording', call, options)
  }

  pauseRecording(
    call: Message | ParametersOf<'pause recording'>,
    options?: Options,
  ): Promise<ReplyTo<'pause recording'>> {
    return this.command('pause recording', call, options)
  }

  /** Copies the call's media to the recording daemon or another receiver. */
  startForwarding(
    call: Message | ParametersOf<'start forwarding'>,
    options?: Options,
  ): Promise<ReplyTo<'start forwarding'>> {
    return this.command('start forwarding', call, options)
  }

  stopForwarding(
    call: Message | ParametersOf<'stop forwarding'>,
    options?: Options,
  ): Promise<ReplyTo<'stop forwarding'>> {
    return this.command('stop forwarding', call, options)
  }

  /** Keeps RFC 4733 events, or what `DTMF-security` says, from the other side. */
  blockDtmf(call: Message | ParametersOf<'block DTMF'>, options?: Options): Promise<ReplyTo<'block DTMF'>> {
    return this.command('block DTMF', call, options)
  }

  unblockDtmf(
    call: Message | ParametersOf<'unblock DTMF'>,
    options?: Options,
  ): Promise<ReplyTo<'unblock DTMF'>> {
    return this.command('unblock DTMF', call, options)
  }

  /** Drops all media of the call or a party. */
  blockMedia(
    call: Message | ParametersOf<'block media'>,
    options?: Options,
  ): Promise<ReplyTo<'block media'>> {
    return this.command('block media', call, options)
  }

  unblockMedia(
    call: Message | ParametersOf<'unblock media'>,
    options?: Options,
  ): Promise<ReplyTo<'unblock media'>> {
    return this.command('unblock media', call, options)
  }

  /** Replaces audio with silence (G.711 and G.722). */
  silenceMedia(
    call: Message | ParametersOf<'silence media'>,
    options?: Options,
  ): Promise<ReplyTo<'silence media'>> {
    return this.command('silence media', call, options)
  }

  unsilenceMedia(
    call: Message | ParametersOf<'unsilence media'>,
    options?: Options,
  ): Promise<ReplyTo<'unsilence media'>> {
    return this.command('unsilence media', call, options)
  }

  /** Plays `file`, `blob` or `db-id` to a party. */
  playMedia(call: Message | ParametersOf<'play media'>, options?: Options): Promise<ReplyTo<'play media'>> {
    return this.command('play media', call, options)
  }

  stopMedia(call: Message | ParametersOf<'stop media'>, options?: Options): Promise<ReplyTo<'stop media'>> {
    return this.command('stop media', call, options)
  }

  /** Sends the digit `code` as if the party had pressed it; its offer or answer must have had the flag `inject-DTMF`. */
  playDtmf(call: Message | ParametersOf<'play DTMF'>, options?: Options): Promise<ReplyTo<'play DTMF'>> {
    return this.command('play DTMF', call, options)
  }

  /** Takes media in that nobody has asked for yet. */
  publish(call: Message | ParametersOf<'publish'>, options?: Options): Promise<ReplyTo<'publish'>> {
    return this.command('publish', call, options)
  }

  /** Asks for a copy of a party's media: answers with the SDP to offer to the receiver. */
  subscribeRequest(
    call: Message | ParametersOf<'subscribe request'>,
    options?: Options,
  ): Promise<ReplyTo<'subscribe request'>> {
    return this.command('subscribe request', call, options)
  }

  subscribeAnswer(
    call: Message | ParametersOf<'subscribe answer'>,
    options?: Options,
  ): Promise<ReplyTo<'subscribe answer'>> {
    return this.command('subscribe answer', call, options)
  }

  unsubscribe(
    call: Message | ParametersOf<'unsubscribe'>,
    options?: Options,
  ): Promise<ReplyTo<'unsubscribe'>> {
    return this.command('unsubscribe', call, options)
  }

  injectStart(
    call: Message | ParametersOf<'inject start'>,
    options?: Options,
  ): Promise<ReplyTo<'inject start'>> {
    return this.command('inject start', call, options)
  }

  injectStop(
    call: Message | ParametersOf<'inject stop'>,
    options?: Options,
  ): Promise<ReplyTo<'inject stop'>> {
    return this.command('inject stop', call, options)
  }

  /** Lets two parties, of one call or of two, hear each other. */
  connect(call: Message | ParametersOf<'connect'>, options?: Options): Promise<ReplyTo<'connect'>> {
    return this.command('connect', call, options)
  }

  /** Makes a party without an offer of anybody's: answers with the SDP to offer. */
  create(call: Message | ParametersOf<'create'>, options?: Options): Promise<ReplyTo<'create'>> {
    return this.command('create', call, options)
  }

  createAnswer(
    call: Message | ParametersOf<'create answer'>,
    options?: Options,
  ): Promise<ReplyTo<'create answer'>> {
    return this.command('create answer', call, options)
  }

  /** Lets several parties hear one another. */
  mesh(call: Message | ParametersOf<'mesh'>, options?: Options): Promise<ReplyTo<'mesh'>> {
    return this.command('mesh', call, options)
  }

  /** Transcodes streams that belong to no call of ours. */
  transform(call: Message | ParametersOf<'transform'>, options?: Options): Promise<ReplyTo<'transform'>> {
    return this.command('transform', call, options)
  }
}
