import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'vitest'

/** A message that the application has sent: a request of its own, or a response. */
interface Sent {
  readonly text: string
  readonly transactionId: string
  readonly dialogId: string
}

/**
 * What stands between an application on drachtio-srf and the network, as far as one call needs it: the drachtio server, which no package has.
 * It frames messages as `LENGTH#ID|...`, echoes what it is given to send, with the headers a SIP stack adds, and is told what the network says.
 */
export class DrachtioServer {
  readonly sent: Sent[] = []
  readonly routes: string[] = []
  /** Requests of this method are not sent. */
  refuses: string | undefined
  /** The requests that came from the network, by transaction: their dialogs, and their headers. */
  readonly #requests = new Map<string, { dialogId: string; headers: string[] }>()
  readonly #server: Server
  #socket: Socket | undefined
  #received = Buffer.alloc(0)
  #ids = 0

  constructor() {
    this.#server = createServer((socket) => {
      this.#socket = socket
      socket.on('data', (data: Buffer) => this.#read(data))
      socket.on('error', () => undefined)
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** A message of the network for the application. */
  incoming(text: string, transactionId: string, dialogId: string): void {
    const headers = text.split('\r\n\r\n')[0]!.split('\r\n')
    if (!text.startsWith('SIP/2.0')) this.#requests.set(transactionId, { dialogId, headers })
    const place = `udp|192.0.2.1|5060|09:00:00.000000|${transactionId}|${dialogId}|127.0.0.1|5060`
    this.#write(`sip|network|${text.length}|${place}\r\n${text}`)
  }

  /** The first message the application sends, now or later, whose first line matches. */
  async message(pattern: RegExp): Promise<Sent> {
    const find = () => this.sent.find(({ text }) => pattern.test(text))
    await expect.poll(find, { timeout: 5000 }).toBeDefined()
    return find()!
  }

  async close(): Promise<void> {
    this.#socket?.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #write(text: string): void {
    const message = `${++this.#ids}|${text}`
    this.#socket?.write(`${Buffer.byteLength(message)}#${message}`)
  }

  #read(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data])
    for (;;) {
      const mark = this.#received.indexOf('#')
      const end = mark + 1 + Number(this.#received.subarray(0, Math.max(mark, 0)))
      if (mark < 0 || this.#received.length < end) return
      const message = this.#received.subarray(mark + 1, end).toString()
      this.#received = this.#received.subarray(end)
      this.#told(message)
    }
  }

  #told(message: string): void {
    const [head = '', ...lines] = message.split('\r\n')
    const [id = '', command, ...more] = head.split('|')
    if (command === 'route') this.routes.push(more[0]!)
    if (command === 'sip') this.#send(id, more, lines.join('\r\n'))
    else this.#write(`response|${id}|OK|udp/127.0.0.1:5060|v0.8.20|udp/127.0.0.1:5060`)
  }

  #send(id: string, [transactionId = '', dialogId = '']: string[], text: string): void {
    if (this.refuses !== undefined && text.startsWith(this.refuses)) {
      this.#write(`response|${id}|NOK|no such dialog`)
      return
    }
    const isResponse = text.startsWith('SIP/2.0')
    const transaction = isResponse ? transactionId : `own-${id.slice(0, 8)}`
    const complete = isResponse ? this.#response(text, transaction) : requestOf(text, transaction)
    const dialog = this.#requests.get(transaction)?.dialogId ?? dialogId
    this.sent.push({ text: complete, transactionId: transaction, dialogId: dialog })
    const place = `udp|192.0.2.1|5060|09:00:00.000000|${transaction}|${dialog}`
    this.#write(`response|${id}|OK|application|${complete.length}|${place}\r\n${complete}`)
  }

  /** A response has the headers of its request, and a To tag. */
  #response(text: string, transactionId: string): string {
    const { headers = [] } = this.#requests.get(transactionId) ?? {}
    const copied = headers.filter((line) => /^(via|from|to|call-id|cseq):/i.test(line))
    return tagged('to', withHeaders(text, [...copied, 'Contact: <sip:us@127.0.0.1>']))
  }
}

/** A request has what a SIP stack adds. */
function requestOf(text: string, transactionId: string): string {
  const method = text.split(' ')[0]!
  const headers = [
    `Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK${transactionId}`,
    'From: <sip:us@127.0.0.1>',
    'To: <sip:bob@192.0.2.9>',
    'Call-ID: b-leg',
    `CSeq: 1 ${method}`,
    'Contact: <sip:us@127.0.0.1>',
  ]
  return tagged('from', withHeaders(text, headers))
}

/** Puts headers in that are not there. */
function withHeaders(text: string, headers: readonly string[]): string {
  const [first = '', ...lines] = text.split('\r\n')
  const given = new Set(lines.slice(0, lines.indexOf('')).map((line) => line.split(':')[0]!.toLowerCase()))
  const missing = headers.filter((header) => !given.has(header.split(':')[0]!.toLowerCase()))
  return [first, ...missing, ...lines].join('\r\n')
}

/** Our side of a dialog has a tag. */
function tagged(header: 'from' | 'to', text: string): string {
  return text.replace(new RegExp(`^(${header}: *(?!.*;tag=)[^\\r\\n]*)`, 'im'), '$1;tag=ours')
}
