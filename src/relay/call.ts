import { isIP } from 'node:net'
import type { SdpMediaDescription, SessionDescription } from '../core/sdp.ts'
import type { PortPair, Ports } from './ports.ts'
import { refusal } from './request.ts'
import { isZeroAddress } from './rewrite.ts'
import { type Endpoint, Stream } from './stream.ts'

/** More media sections in one SDP than any call has use for: each costs four sockets. */
const MAX_MEDIA = 32
/** More answers to one offer, and more branches of one call, than any fork makes. */
const MAX_FORKS = 32

/** One media section as one party has it, with the sockets the party sends to. */
export class PartyMedia {
  readonly rtp: Stream
  readonly rtcp: Stream
  /** What the party's SDP says of the section; undefined until it has sent one. */
  description: SdpMediaDescription | undefined
  /** The party sends from elsewhere than where it receives. */
  isAsymmetric = false

  constructor(pair: PortPair) {
    this.rtp = new Stream(pair.rtp, { address: pair.address, port: pair.port })
    this.rtcp = new Stream(pair.rtcp, { address: pair.address, port: pair.port + 1 })
  }

  join(other: PartyMedia): void {
    this.rtp.peer = other.rtp
    other.rtp.peer = this.rtp
    this.rtcp.peer = other.rtcp
    other.rtcp.peer = this.rtcp
  }

  get lastPacket(): number {
    return Math.max(this.rtp.lastPacket, this.rtcp.lastPacket)
  }

  close(): void {
    this.rtp.close()
    this.rtcp.close()
  }
}

export class Party {
  /** The tag of its latest SDP; undefined until there is one. */
  tag: string | undefined
  viaBranch: string | undefined
  label: string | undefined
  readonly created = Date.now()
  /** IP address of its sockets. */
  readonly address: string
  /** By index of the media section; a section that is not relayed has none. */
  readonly medias: (PartyMedia | undefined)[] = []
  /** Every tag it ever answered with: a forked offer is answered by several. */
  readonly #tags = new Set<string>()

  constructor(address: string) {
    this.address = address
  }

  named(tag: string): void {
    if (!this.#tags.has(tag) && this.#tags.size >= MAX_FORKS) throw refusal('Invalid dialogue association')
    this.tag = tag
    this.#tags.add(tag)
  }

  isNamed(tag: string): boolean {
    return this.#tags.has(tag)
  }

  /** Takes over what the party's SDP says. `source` is where SIP came from, if that is to count. */
  signalled(session: SessionDescription, isAsymmetric: boolean, source: string | undefined): void {
    for (const [index, description] of session.mediaDescriptions.entries()) {
      const media = this.medias[index]
      if (media === undefined) continue
      media.description = description
      media.isAsymmetric = isAsymmetric
      if (description.port === 0) continue
      const { address } = description.connection!
      const isHeld = isZeroAddress(address)
      const rtp: Endpoint = { address: source ?? address, port: description.port }
      const rtcp = rtcpEndpoint(description, rtp)
      media.rtp.signalled(rtp, isAsymmetric, isHeld)
      media.rtcp.signalled(rtcp, isAsymmetric, isHeld)
    }
  }
}

/** RFC 3550, 11: the port above RTP's, unless `a=rtcp` (RFC 3605) says otherwise. */
function rtcpEndpoint({ rtcp }: SdpMediaDescription, rtp: Endpoint): Endpoint {
  if (rtcp === undefined || rtcp.port === 0)
    return { address: rtp.address, port: Math.min(rtp.port + 1, 65535) }
  const { address = rtp.address, port } = rtcp
  return { address: isIP(address) === 0 || isZeroAddress(address) ? rtp.address : address, port }
}

/** One offer with its answers: the party that made it and the one that is answering. */
export class Dialogue {
  readonly offerer: Party
  readonly answerer: Party

  constructor(offererAddress: string, answererAddress: string) {
    this.offerer = new Party(offererAddress)
    this.answerer = new Party(answererAddress)
  }

  get parties(): readonly [Party, Party] {
    return [this.offerer, this.answerer]
  }

  get isAnswered(): boolean {
    return this.answerer.tag !== undefined
  }

  party(tag: string): Party | undefined {
    return this.parties.find((party) => party.isNamed(tag))
  }

  other(party: Party): Party {
    return party === this.offerer ? this.answerer : this.offerer
  }

  /** Opens ports for every section of `session` that has none yet; those that have keep them. */
  async prepare(session: Pick<SessionDescription, 'mediaDescriptions'>, ports: Ports): Promise<void> {
    if (session.mediaDescriptions.length > MAX_MEDIA) throw refusal('Ran out of ports')
    for (const [index, description] of session.mediaDescriptions.entries()) {
      if (this.offerer.medias[index] !== undefined || !isRelayed(description)) continue
      const pair = await ports.open(this.offerer.address)
      const otherPair = await ports.open(this.answerer.address).catch((error: unknown) => {
        pair.rtp.close()
        pair.rtcp.close()
        throw error
      })
      const media = new PartyMedia(pair)
      const otherMedia = new PartyMedia(otherPair)
      media.join(otherMedia)
      this.offerer.medias[index] = media
      this.answerer.medias[index] = otherMedia
    }
  }

  close(): void {
    for (const party of this.parties) for (const media of party.medias) media?.close()
  }
}

/** What runs over UDP. A section that was refused (port 0) needs no sockets. */
function isRelayed({ protocol, port }: SdpMediaDescription): boolean {
  return port !== 0 && !/^TCP/i.test(protocol)
}

/** All that goes by one Call-ID: one dialogue, or one for each branch that a proxy forked the offer to. */
export class Call {
  readonly id: string
  readonly created = Date.now()
  readonly dialogues: Dialogue[] = []
  /** When the last offer or answer came, in ms since 1970. */
  lastSignal = this.created

  constructor(id: string) {
    this.id = id
  }

  get medias(): PartyMedia[] {
    return this.dialogues
      .flatMap((dialogue) => dialogue.parties)
      .flatMap((party) => party.medias.filter((media) => media !== undefined))
  }

  /** When it last showed life, in ms since 1970. */
  get lastActivity(): number {
    return Math.max(this.lastSignal, ...this.medias.map((media) => media.lastPacket))
  }

  /** Whether silence is to be expected: nobody has answered yet, or all media are on hold. */
  get isMuted(): boolean {
    const answered = this.dialogues.filter((dialogue) => dialogue.isAnswered)
    return answered.every((dialogue) =>
      dialogue.parties.some((party) => party.medias.every((media) => media === undefined || isOnHold(media))),
    )
  }

  /** The dialogue of these tags, however the roles are now. */
  between(tag: string, otherTag: string): Dialogue | undefined {
    return this.dialogues.find(
      (dialogue) => dialogue.party(tag) !== undefined && dialogue.party(otherTag) !== undefined,
    )
  }

  /** The dialogues that a command with these keys is about. */
  matching(
    fromTag: string | undefined,
    toTag: string | undefined,
    viaBranch: string | undefined,
  ): Dialogue[] {
    const named = this.dialogues.filter((dialogue) =>
      [fromTag, toTag].every((tag) => tag === undefined || dialogue.party(tag) !== undefined),
    )
    const branch = named.filter(({ answerer }) => answerer.viaBranch === viaBranch)
    return viaBranch === undefined || branch.length === 0 ? named : branch
  }

  /**
   * The dialogues that a delete with these keys ends, picked as rtpengine picks them: a branch tells most unless there is a To tag, that
   * counts before the From tag, and a From tag behind an unknown To tag only names what nobody has answered.
   */
  ending(fromTag = '', toTag = '', viaBranch = ''): readonly Dialogue[] {
    if (fromTag === '') return [...this.dialogues]
    const branch = this.dialogues.filter(
      ({ answerer }) => viaBranch !== '' && answerer.viaBranch === viaBranch,
    )
    if (toTag === '' && branch.length > 0) return branch
    const named = this.matching(toTag || fromTag, undefined, undefined)
    if (named.length > 0) return named
    if (branch.length > 0 || toTag === '') return branch
    return this.matching(fromTag, undefined, undefined).filter(({ isAnswered }) => !isAnswered)
  }

  add(dialogue: Dialogue): void {
    if (this.dialogues.length >= MAX_FORKS) throw refusal('Invalid dialogue association')
    this.dialogues.push(dialogue)
  }

  remove(dialogue: Dialogue): void {
    this.dialogues.splice(this.dialogues.indexOf(dialogue), 1)
    dialogue.close()
  }
}

function isOnHold({ description }: PartyMedia): boolean {
  if (description === undefined) return false
  const address = description.connection?.address ?? ''
  return description.port === 0 || description.direction === 'inactive' || isZeroAddress(address)
}
