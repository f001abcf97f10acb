import { NodeError } from '../../errors.ts'

/** Share of all room that only deletes may use: they make room at the media proxies, so they go on under overload. */
const RESERVED = 0.1

/** How many commands may be under way at a time, waiting for a node or on their way to one. */
export class Load {
  readonly #limit: number
  readonly #nodeLimit: number
  #open = 0
  #refused = 0

  constructor(limit: number, nodeLimit: number) {
    this.#limit = limit
    this.#nodeLimit = nodeLimit
  }

  get open(): number {
    return this.#open
  }

  /** How many commands were refused. */
  get refused(): number {
    return this.#refused
  }

  /** How many requests of this command a node may have open. */
  nodeLimit(command: string): number {
    return this.#share(this.#nodeLimit, command)
  }

  /** @throws NodeError `ERR_RTPPROXY_OVERLOAD` */
  enter(command: string): void {
    if (this.#open >= this.#share(this.#limit, command)) {
      throw this.overload(command, undefined, `${this.#open} commands are under way`)
    }
    this.#open++
  }

  leave(): void {
    this.#open--
  }

  overload(command: string, node: string | undefined, why: string): NodeError {
    this.#refused++
    return new NodeError('ERR_RTPPROXY_OVERLOAD', `${command}: ${why}, and that is the limit`, {
      command,
      node,
    })
  }

  #share(limit: number, command: string): number {
    return command === 'delete' ? limit : Math.ceil(limit * (1 - RESERVED))
  }
}
