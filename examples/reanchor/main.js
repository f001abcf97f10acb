// node examples/reanchor/main.js --rtpengine udp:127.0.0.1:2223 --rtpengine udp:127.0.0.1:2233 [--listen 127.0.0.1:5060]
//
// Take one of the media proxies away during a call: its calls go on over the other.

import { parseArgs } from 'node:util'
import { hostPort } from '../sip-proxy/host-port.js'
import { ReanchoringProxy } from './proxy.js'

const { values } = parseArgs({
  options: {
    rtpengine: { type: 'string', multiple: true, default: ['udp:127.0.0.1:2223', 'udp:127.0.0.1:2233'] },
    listen: { type: 'string', default: '127.0.0.1:5060' },
  },
})
const proxy = new ReanchoringProxy({
  sockets: [values.rtpengine.join(' ')],
  ...hostPort(values.listen),
  // A node nobody talks to is found dead by its pings.
  media: { pingMs: 1000 },
})
proxy.media.on('node:down', ({ url, calls }) =>
  console.error(`media proxy ${url} is down with ${calls} calls`),
)
await proxy.start()
console.log(`SIP proxy on udp:${proxy.hostPort}`)
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, async () => {
    console.log(JSON.stringify({ ...proxy.counters, moved: proxy.moved }))
    await proxy.close()
  })
}
