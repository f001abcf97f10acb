// node examples/drachtio/main.js [--rtpengine udp:127.0.0.1:2223] [--drachtio 127.0.0.1:9022] [--secret cymru] --target sip:192.0.2.20:5060 [--target ...]

import { parseArgs } from 'node:util'
import Srf from 'drachtio-srf'
import { RtpProxyNg } from 'rtpproxy-ng'
import { b2bua } from './b2bua.js'

const { values } = parseArgs({
  options: {
    rtpengine: { type: 'string', default: 'udp:127.0.0.1:2223' },
    drachtio: { type: 'string', default: '127.0.0.1:9022' },
    secret: { type: 'string', default: 'cymru' },
    target: { type: 'string', multiple: true, default: ['sip:127.0.0.1:5080'] },
  },
})
const media = new RtpProxyNg({ sockets: values.rtpengine })
await media.start()
const [host = '', port] = values.drachtio.split(':')
const srf = new Srf()
// It connects again by itself.
srf.on('error', (error) => console.error(`drachtio: ${error.message}`))
srf.on('connect', (error, address) => console.log(error ? String(error) : `drachtio at ${address}`))
await srf.connect({ host, port: Number(port), secret: values.secret })
b2bua(srf, media, values.target)
console.log(`calls go to ${values.target.join(', then to ')}`)
