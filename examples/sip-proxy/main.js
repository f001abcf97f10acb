// node examples/sip-proxy/main.js --rtpengine udp:127.0.0.1:2223 [--listen 127.0.0.1:5060] [--next HOST:PORT] [--flags co]

import { parseArgs } from 'node:util'
import { SipProxy } from './proxy.js'

const { values } = parseArgs({
  options: {
    rtpengine: { type: 'string', multiple: true, default: ['udp:127.0.0.1:2223'] },
    listen: { type: 'string', default: '127.0.0.1:5060' },
    next: { type: 'string' },
    flags: { type: 'string', default: 'co' },
  },
})

/** @param {string} text */
function hostPort(text) {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

const proxy = new SipProxy({
  sockets: values.rtpengine,
  ...hostPort(values.listen),
  flags: values.flags,
  ...(values.next !== undefined && { next: hostPort(values.next) }),
})
proxy.media.on('node:down', ({ url }, reason) =>
  console.error(`media proxy ${url} is down: ${reason.message}`),
)
proxy.media.on('node:up', ({ url }) => console.error(`media proxy ${url} is up`))
await proxy.start()
console.log(`SIP proxy on udp:${proxy.hostPort}`)

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, async () => {
    console.log(JSON.stringify(proxy.counters))
    await proxy.close()
  })
}
