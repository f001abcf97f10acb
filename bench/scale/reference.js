// A client with nothing open, in a thread and with a heap of its own: told for how many seconds, it says what a transaction
// costs just then.

import { parentPort, workerData } from 'node:worker_threads'
import { RtpProxyNg } from 'rtpproxy-ng'
import { inviteOf, offers } from './traffic.js'

const media = new RtpProxyNg({ sockets: workerData })
await media.start()
const invite = inviteOf('reference@192.0.2.7', 1300)
parentPort?.on('message', async (seconds) =>
  parentPort?.postMessage(await offers(media, invite, 64, seconds)),
)
