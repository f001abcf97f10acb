import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { type Answer, decode, encode } from 'dns-packet'
import { BoundedResolver, type NameResolver, systemResolver } from '../src/network/names.ts'

/** A name server on loopback that knows what it is told. */
export class DnsServer {
  readonly records: Answer[] = []
  /** What was asked, as `TYPE name`. */
  readonly questions: string[] = []
  silent = false
  readonly #socket: Socket = createSocket('udp4')

  async listen(): Promise<void> {
    this.#socket.on('message', (datagram, from) => {
      const { id, questions = [] } = decode(datagram)
      for (const { type, name } of questions) this.questions.push(`${type} ${name}`)
      if (this.silent) return
      const answers = this.records.filter(({ type, name }) =>
        questions.some((question) => question.type === type && question.name === name),
      )
      const rcode = answers.length > 0 ? 0 : 3
      const reply = encode({ type: 'response', id: id!, flags: rcode, questions, answers })
      this.#socket.send(reply, from.port, from.address)
    })
    this.#socket.bind(0, '127.0.0.1')
    await once(this.#socket, 'listening')
  }

  host(name: string, ...addresses: string[]): void {
    for (const data of addresses) this.records.push({ type: data.includes(':') ? 'AAAA' : 'A', name, data })
  }

  service(name: string, target: string, port: number, priority = 0, weight = 0): void {
    this.records.push({ type: 'SRV', name, data: { target, port, priority, weight } })
  }

  /** A resolver that asks this server for everything; /etc/hosts does not count. */
  resolver(timeoutMs = 5000): NameResolver {
    const dns = new Resolver({ timeout: 5000, tries: 1 })
    dns.setServers([`127.0.0.1:${this.#socket.address().port}`])
    const addresses = (host: string, family: 4 | 6) =>
      family === 4 ? dns.resolve4(host) : dns.resolve6(host)
    return new BoundedResolver({ ...systemResolver(dns), addresses }, timeoutMs)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }
}
