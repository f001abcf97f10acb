import type { Message, Receiver } from '../../relay/control/message.ts'
import { Path, type Weather } from './weather.ts'

/** Messages and replies that wait while the engine is frozen: about what the kernel would hold. More are lost. */
const MAX_FROZEN = 1000

/** Stands between the sockets and the engine: the weather that datagrams go through, and the gate that freezes it. */
export class Network implements Receiver {
  weather: Weather = {}
  readonly #receiver: Receiver
  readonly #arriving: Path
  readonly #leaving: Path
  #frozen: (() => void)[] | undefined

  constructor(receiver: Receiver, seed: number) {
    this.#receiver = receiver
    this.#arriving = new Path(seed)
    // Another sequence: were there one for both, it would depend on which reply is ready when.
    this.#leaving = new Path(~seed)
  }

  receive(message: Message): void {
    const { carrier } = message
    const reply = (bytes: Buffer): void => {
      this.#gate(() => this.#travel(this.#leaving, carrier, () => message.reply(bytes)))
    }
    this.#travel(this.#arriving, carrier, () =>
      this.#gate(() => this.#receiver.receive({ ...message, reply })),
    )
  }

  /** Streams mend what happens to their packets, so there is weather for datagrams alone. */
  #travel(path: Path, carrier: Message['carrier'], arrive: () => void): void {
    if (carrier === 'udp') path.pass(this.weather, arrive)
    else arrive()
  }

  #gate(pass: () => void): void {
    if (this.#frozen === undefined) pass()
    else if (this.#frozen.length < MAX_FROZEN) this.#frozen.push(pass)
  }

  freeze(): void {
    this.#frozen ??= []
  }

  thaw(): void {
    const waiting = this.#frozen ?? []
    this.#frozen = undefined
    for (const pass of waiting) pass()
  }

  /** Forgets all that is under way, and thaws. */
  clear(): void {
    this.#arriving.clear()
    this.#leaving.clear()
    this.#frozen = undefined
  }
}
