/** What commands come in by. */
export type Carrier = 'udp' | 'tcp' | 'unix' | 'http' | 'websocket'

/** One message that came in. */
export interface Message {
  readonly carrier: Carrier
  /** `COOKIE SP DICTIONARY`, or the dictionary alone if it `isPlain`. */
  readonly bytes: Buffer
  readonly isPlain: boolean
  /** Sends a reply back, with the cookie if there was one. */
  readonly reply: (bytes: Buffer) => void
}

/** Is handed every message, and replies to it when it likes, or never. */
export interface Receiver {
  receive(message: Message): void
}

/** Where a command came from. */
export interface Origin {
  readonly carrier: Carrier
  /** Bytes as latin1; undefined where there are no cookies. */
  readonly cookie: string | undefined
}

/** The cookie of `COOKIE SP DICTIONARY`, as latin1; undefined when there is none. */
export function cookieOf(bytes: Buffer): string | undefined {
  const space = bytes.indexOf(0x20)
  return space <= 0 ? undefined : bytes.toString('latin1', 0, space)
}

/** A socket that commands come in by. */
export interface Listener {
  /** What a client is to use. */
  readonly url: string
  /** The port it has; 0 where there are none. */
  readonly port: number
  /** Sends to every connection, where there are connections that take what they did not ask for. */
  broadcast?(bytes: Buffer): void
  close(): Promise<void>
}
