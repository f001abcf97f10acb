// node examples/sip-proxy/main.js --rtpengine udp:127.0.0.1:2223 [--listen 127.0.0.1:5060] [--next HOST:PORT] [--flags co]
//   [--redis redis://127.0.0.1:6379] [--token-key KEY]
//
// Several such proxies that share the calls find each call's media proxy through Redis, or without any store through the token
// in the Record-Route, signed with the key they share.

import { parseArgs } from 'node:util'
import { redisCallStore } from 'rtpproxy-ng/redis'
import { hostPort } from './host-port.js'
import { SipProxy } from './proxy.js'

const { values } = parseArgs({
  options: {
    rtpengine: { type: 'string', multiple: true, default: ['udp:127.0.0.1:2223'] },
    listen: { type: 'string', default: '127.0.0.1:5060' },
    next: { type: 'string' },
    flags: { type: 'string', default: 'co' },
    redis: { type: 'string' },
    'token-key': { type: 'string' },
  },
})

const store = values.redis === undefined ? undefined : await redisCallStore({ url: values.redis })
const proxy = new SipProxy({
  sockets: values.rtpengine,
  ...hostPort(values.listen),
  flags: values.flags,
  media: { store, tokenKey: values['token-key'] },
  ...(values.next !== undefined && { next: hostPort(values.next) }),
})
proxy.media.on('node:down', ({ url }, reason) =>
  console.error(`media proxy ${url} is down: ${reason.message}`),
)
proxy.media.on('store:down', (reason) => console.error(reason.message))
proxy.media.on('store:up', () => console.error('the call store is back'))
proxy.media.on('node:up', ({ url }) => console.error(`media proxy ${url} is up`))
await proxy.start()
console.log(`SIP proxy on udp:${proxy.hostPort}`)

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, async () => {
    console.log(JSON.stringify(proxy.counters))
    await proxy.close()
  })
}
