import { Timed } from '../../network/requests/timer-wheel.ts'

/** A moment at which something ends, on the wheel that all requests share. */
export class Deadline extends Timed {
  readonly #ended: () => void

  constructor(ended: () => void) {
    super()
    this.#ended = ended
  }

  override expired(): void {
    this.#ended()
  }
}
