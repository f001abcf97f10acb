// node examples/sip-package/main.js [--rtpengine udp:127.0.0.1:2223] [--listen 127.0.0.1:5060] --next HOST:PORT

import { parseArgs } from 'node:util'
import { startProxy } from './proxy.js'

const { values } = parseArgs({
  options: {
    rtpengine: { type: 'string', default: 'udp:127.0.0.1:2223' },
    listen: { type: 'string', default: '127.0.0.1:5060' },
    next: { type: 'string' },
  },
})
if (values.next === undefined) throw new Error('--next HOST:PORT says where calls go')
const [host = '', port] = values.listen.split(':')
const proxy = await startProxy({ rtpengine: values.rtpengine, host, port: Number(port), next: values.next })
console.log(`SIP proxy on udp:${values.listen}`)
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.once(signal, async () => {
    await proxy.close()
    // The timers of the package's transactions would go on for half a minute.
    process.exit()
  })
