import type Srf from 'drachtio-srf'
import { SipError } from '../../errors.ts'
import type { CallMedia, Party } from './call.ts'
import { sipMessageOf } from './message.ts'

/** The two dialogs of a B2BUA, as `createB2BUA` gives them. */
export interface Dialogs {
  readonly uas: Srf.Dialog
  readonly uac: Srf.Dialog
}

/** A side of the call: what NG and what SIP know of it. */
interface Side {
  readonly party: Party
  readonly dialog: Srf.Dialog
}

type Acknowledge = (options?: { readonly body: string }) => void

/** What of a dialog the package's types leave out, or ask too much for. */
interface UntypedDialog {
  /** False after a BYE. */
  readonly connected?: boolean
  readonly local: { readonly contact?: string }
  request(
    options: {
      readonly method: string
      readonly body?: string
      readonly noAck?: boolean
      readonly headers: object
    },
    callback: (error: unknown, res: Srf.SrfResponse, ack?: Acknowledge) => void,
  ): void
}

/** How long an ACK may take, with all that is sent again: 64 times T1, behind which comes a BYE (RFC 3261, 13.3.1.4). */
const ACK_MS = 32_000

const untyped = (dialog: Srf.Dialog) => dialog as unknown as UntypedDialog

/** Carries what happens in the dialogs of one call from side to side, through the media proxy. */
export class CallDialogs {
  readonly #call: CallMedia
  readonly #sides: readonly [caller: Side, callee: Side]
  readonly #onError: (error: unknown) => void
  /** An offer is under way, of either side. */
  #isBusy = false
  #isOver = false

  constructor(call: CallMedia, { uas, uac }: Dialogs, onError: (error: unknown) => void) {
    this.#call = call
    this.#sides = [
      { party: call.caller, dialog: uas },
      { party: call.callee, dialog: uac },
    ]
    this.#onError = onError
  }

  listen(): void {
    const [caller, callee] = this.#sides
    for (const [by, other] of [[caller, callee] as const, [callee, caller] as const]) {
      const { dialog } = by
      dialog.on('destroy', () => void this.hangUp())
      dialog.on('modify', (req, res) => void this.#modified('INVITE', [by, other], req, res))
      dialog.on('update', (req, res) => void this.#modified('UPDATE', [by, other], req, res))
      // A BYE that came in one read with the ACK was over before anybody could listen.
      if (untyped(dialog).connected === false) void this.hangUp()
    }
  }

  /** A BYE to each side that has not hung up, and the end of the media. Whatever fails is told to `onError`. */
  async hangUp(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    const byes = this.#sides
      .filter(({ dialog }) => untyped(dialog).connected !== false)
      .map(async ({ dialog }) => dialog.destroy())
    for (const end of await Promise.allSettled([this.#call.end(), ...byes]))
      if (end.status === 'rejected') this.#onError(end.reason)
  }

  async #modified(
    method: 'INVITE' | 'UPDATE',
    [by, other]: readonly [by: Side, other: Side],
    req: Srf.SrfRequest,
    res: Srf.SrfResponse,
  ): Promise<void> {
    // Says that the session lives on, which each leg knows for itself.
    if (method === 'UPDATE' && !req.body) return res.send(200)
    // RFC 3261, 14.2 and RFC 3311, 5.2.
    if (this.#isBusy) return res.send(491)
    this.#isBusy = true
    try {
      if (req.body) await this.#offered(method, [by, other], req, res)
      else await this.#offerAsked([by, other], res)
    } catch (error) {
      this.#onError(error)
      res.send(488)
      await this.#restore()
    }
    this.#isBusy = false
  }

  /** One side offers: the other is offered the media proxy, and its answer goes back. */
  async #offered(
    method: 'INVITE' | 'UPDATE',
    [by, other]: readonly [by: Side, other: Side],
    req: Srf.SrfRequest,
    res: Srf.SrfResponse,
  ): Promise<void> {
    const body = await this.#call.offer(sipMessageOf(req), by.party)
    const { answer } = await request(other, method, body)
    if (answer.status >= 300) {
      res.send(answer.status)
      return this.#restore()
    }
    other.dialog.local.sdp = body
    other.dialog.remote.sdp = answer.body
    accept(by, res, await this.#call.answer(sipMessageOf(answer), other.party))
  }

  /** One side sends a re-INVITE without SDP: the other makes the offer, and the answer is in the ACK (RFC 3261, 14.2). */
  async #offerAsked([by, other]: readonly [by: Side, other: Side], res: Srf.SrfResponse): Promise<void> {
    const { answer, acknowledge = () => undefined } = await request(other, 'INVITE')
    if (answer.status >= 300) return res.send(answer.status)
    other.dialog.remote.sdp = answer.body
    let body: string
    try {
      body = await this.#call.offer(sipMessageOf(answer), other.party)
    } catch (error) {
      acknowledge()
      throw error
    }
    const acknowledged = ackOf(by)
    accept(by, res, body)
    const ack = await acknowledged
    try {
      if (ack === undefined)
        throw new SipError('ERR_RTPPROXY_NO_SDP', 'the ACK that owes the answer has not come')
      const sdp = await this.#call.answer(sipMessageOf(ack), by.party)
      other.dialog.local.sdp = sdp
      acknowledge({ body: sdp })
    } catch (error) {
      // Its offer was taken, and it gets no answer.
      acknowledge()
      this.#onError(error)
      await this.hangUp()
    }
  }

  async #restore(): Promise<void> {
    await this.#call.restore().catch(this.#onError)
  }
}

/** The next ACK of a side; undefined if none comes. */
function ackOf({ dialog }: Side): Promise<Srf.SrfRequest | undefined> {
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, ACK_MS, undefined)
    // What else the program has to do keeps it, not this.
    patience.unref()
    dialog.once('ack', (ack) => {
      clearTimeout(patience)
      resolve(ack as unknown as Srf.SrfRequest)
    })
  })
}

/**
 * A request in a dialog, and its final response. `modify` of the package will not do: after one that was refused it waits for ever with the
 * next.
 */
function request(
  { dialog }: Side,
  method: string,
  body?: string,
): Promise<{ answer: Srf.SrfResponse; acknowledge: Acknowledge | undefined }> {
  const options = {
    method,
    ...(body === undefined ? { noAck: true } : { body }),
    headers: headersOf(dialog, body),
  }
  return new Promise((resolve, reject) => {
    untyped(dialog).request(options, (error, answer, acknowledge) => {
      if (error)
        reject(error instanceof Error ? error : new SipError('ERR_RTPPROXY_SIP', `${method}: ${error}`))
      else if (answer.status >= 200) resolve({ answer, acknowledge })
    })
  })
}

function accept({ dialog }: Side, res: Srf.SrfResponse, body: string): void {
  dialog.local.sdp = body
  res.send(200, { body, headers: headersOf(dialog, body) })
}

function headersOf(dialog: Srf.Dialog, body?: string): object {
  const { contact } = untyped(dialog).local
  return { ...(contact && { Contact: contact }), ...(body && { 'Content-Type': 'application/sdp' }) }
}
