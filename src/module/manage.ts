import { SdpKind } from '../core/sip.ts'
import type { SipMessage } from './message.ts'
import type { TransactionMemory } from './transactions.ts'

/**
 * Which route of the SIP proxy the message is in: `failure` for an INVITE that came back with a failure, `branch-failure` when only one of
 * its branches did.
 */
export type Route = 'request' | 'reply' | 'failure' | 'branch-failure'

const METHODS: ReadonlySet<string> = new Set(['INVITE', 'ACK', 'CANCEL', 'BYE', 'UPDATE', 'PRACK'])

export interface ManageContext {
  readonly route: Route
  /** The caller's own transaction object. */
  readonly transaction: object | undefined
  /** Whether a PRACK is any business of ours: the module's successor takes its SDP for an answer (RFC 3262). */
  readonly prack: boolean
}

/**
 * What `rtpproxy_manage` does with a message: the command, or undefined for a message that is none of its business. An
 * INVITE's part in its transaction is remembered on the way.
 */
export function manageCommand(
  message: SipMessage,
  { route, transaction, prack }: ManageContext,
  transactions: TransactionMemory,
): 'offer' | 'answer' | 'delete' | undefined {
  const method = message.cseqMethod
  if (method === undefined || !METHODS.has(method) || (method === 'PRACK' && !prack)) return undefined
  if (method === 'CANCEL' || method === 'BYE') return 'delete'
  // Here, other than for an offer, the module wants a Content-Type before it believes in SDP.
  const hasSdp = message.sdpKind === SdpKind.TYPED || message.sdpKind === SdpKind.MULTIPART

  if (message.isRequest) {
    if (method === 'INVITE') {
      if (route === 'failure') return hasSdp ? 'delete' : undefined
      transactions.remember(transaction, transactionKey(message), hasSdp)
    }
    if (!hasSdp) return undefined
    return method === 'ACK' || method === 'PRACK' ? 'answer' : 'offer'
  }

  if (message.statusCode! >= 300) return 'delete'
  if (!hasSdp) return undefined
  if (method === 'UPDATE' || method === 'PRACK') return 'answer'
  const requestHadSdp = transactions.recall(transaction, transactionKey(message))
  return requestHadSdp === false ? 'offer' : 'answer'
}

/** What a request and its replies have in common at a proxy, whatever it did to the Vias (RFC 3261, 8.1.3.5, 12.2.1.1). */
function transactionKey(message: SipMessage): string {
  return `${message.cseq} ${message.fromTag} ${message.callId}`
}
