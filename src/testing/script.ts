import type { BencodeInput } from '../core/bencode.ts'
import { checkScripted, checkScriptOptions } from './checks.ts'
import type { ReceivedCommand } from './log.ts'

/** What the engine does with a command other than it usually would. The first of `silent`, `error`, `reply` counts. */
export interface Scripted {
  /** It is never answered; `'after'`: it is carried out all the same, as when only the reply gets lost. */
  readonly silent?: boolean | 'after'
  /** It fails with this `error-reason`. */
  readonly error?: string
  /** This is the whole reply, and the command is not carried out. */
  readonly reply?: Readonly<Record<string, BencodeInput>>
  /** It is carried out, and these keys are put over those of the reply. */
  readonly with?: Readonly<Record<string, BencodeInput>>
  /** It takes so long, in milliseconds. Others do not wait for it. */
  readonly delayMs?: number
}

/** Decides about each command; undefined leaves it to the next script, and at last to the engine. */
export type Script = (command: ReceivedCommand) => Scripted | undefined

export interface ScriptOptions {
  /** For how many commands it counts. Default: all. A command that is sent again with the same cookie is the same. */
  readonly times?: number
}

/** The scripts of one engine. Those that were set first are asked first. */
export class Scripts {
  readonly #scripts = new Set<Script>()

  /** Returns what takes it away again. */
  add(script: Script, options: ScriptOptions): () => void {
    checkScriptOptions(options)
    let left = options.times ?? Number.POSITIVE_INFINITY
    const counted: Script = (command) => {
      const scripted = left > 0 ? script(command) : undefined
      if (scripted !== undefined && --left <= 0) this.#scripts.delete(counted)
      return scripted
    }
    this.#scripts.add(counted)
    return () => void this.#scripts.delete(counted)
  }

  for(command: ReceivedCommand): Scripted {
    for (const script of this.#scripts) {
      const scripted = script(command)
      if (scripted === undefined) continue
      checkScripted(scripted)
      return scripted
    }
    return {}
  }
}
