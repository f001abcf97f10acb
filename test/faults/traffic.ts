import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { RtpProxyNgError } from '../../src/errors.ts'
import type { RtpProxyNg } from '../../src/module/client.ts'
import { SipMessage } from '../../src/module/message.ts'

export interface NodeCounts {
  readonly executions: number
  /** Commands executed more than once. */
  readonly doubles: number
  /** Commands that came again with their cookie, and were answered from memory. */
  readonly repeats: number
}

/** `node.js` as a process. */
export class NodeProcess {
  readonly child: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.child = child
    this.port = port
  }

  static async start(port = 0): Promise<NodeProcess> {
    const child = fork(fileURLToPath(new URL('node.js', import.meta.url)), [String(port)])
    const [said] = (await once(child, 'message')) as [{ port: number }]
    return new NodeProcess(child, said.port)
  }

  get url(): string {
    return `udp:127.0.0.1:${this.port}`
  }

  async counts(): Promise<NodeCounts> {
    this.child.send({ counts: true })
    return ((await once(this.child, 'message')) as [NodeCounts])[0]
  }

  /** Resolves when all forged replies have been sent. */
  async flood(count: number): Promise<void> {
    this.child.send({ flood: count })
    await once(this.child, 'message')
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill(signal)
    await once(this.child, 'exit')
  }
}

/** Media proxies leave the session name as it is, so it says whose answer an answer is. */
const sdpOf = (callId: string): string =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=${callId}\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`
const source = { address: '192.0.2.7', port: 5060 }

export function sip(method: 'INVITE' | 'BYE', callId: string): SipMessage {
  const sdp = method === 'INVITE' ? sdpOf(callId) : ''
  const type = sdp && 'Content-Type: application/sdp\r\n'
  return SipMessage.parse(
    Buffer.from(
      `${method} sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=f\r\n` +
        `To: <sip:b@example.com>;tag=t\r\nCall-ID: ${callId}\r\nCSeq: 1 ${method}\r\n${type}Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
    ),
    source,
  )
}

/** What became of many commands. */
export class Outcomes {
  answered = 0
  /** Replies that were another caller's. */
  wrong = 0
  readonly failed = new Map<string, number>()
  readonly took: { readonly at: number; readonly ms: number; readonly node: string }[] = []

  get failures(): number {
    return [...this.failed.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Milliseconds within which this share of the commands begun from `from` to `to` (of `performance.now`) was answered. */
  percentile(share: number, from = 0, to = Number.POSITIVE_INFINITY): number {
    const times = this.took.filter(({ at }) => at >= from && at < to).map(({ ms }) => ms)
    times.sort((a, b) => a - b)
    return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  }
}

/** One offer, checked: its answer must name its own call. */
export async function offer(
  media: RtpProxyNg,
  callId: string,
  outcomes: Outcomes,
  deadlineMs?: number,
): Promise<void> {
  const at = performance.now()
  try {
    const { sdp, node } = await media.offer(sip('INVITE', callId), { deadlineMs })
    outcomes.answered++
    if (!sdp.includes(`s=${callId}\r\n`)) outcomes.wrong++
    outcomes.took.push({ at, ms: performance.now() - at, node })
  } catch (error) {
    if (!(error instanceof RtpProxyNgError)) throw error
    outcomes.failed.set(error.code, (outcomes.failed.get(error.code) ?? 0) + 1)
  }
}

/** Offers at a steady rate for so long; resolves when all have ended. */
export async function offersAt(
  rate: number,
  seconds: number,
  one: (number: number) => Promise<void>,
): Promise<number> {
  const started = performance.now()
  const pending: Promise<void>[] = []
  let begun = 0
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - started
      const due = Math.min(rate * seconds, Math.floor((elapsed * rate) / 1000))
      while (begun < due) pending.push(one(begun++))
      if (begun < rate * seconds) return
      clearInterval(timer)
      resolve()
    }, 2)
  })
  await Promise.all(pending)
  return begun
}

/** `count` commands, `open` of them at a time. */
export async function inParallel(
  count: number,
  open: number,
  one: (number: number) => Promise<void>,
): Promise<void> {
  let begun = 0
  await Promise.all(
    Array.from({ length: open }, async () => {
      while (begun < count) await one(begun++)
    }),
  )
}
