// Packs the package, installs it into an empty project and uses it there, from ES modules and from require.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('../..', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'consumer-'))
/** @type {(command: string, ...args: string[]) => string} */
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

const use = `
const invite = Buffer.from('INVITE sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\n\\r\\nv=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n')
const main = async () => {
  const relay = new EmbeddedRelay({ listen: 'udp:127.0.0.1:0' })
  await relay.start()
  const media = new RtpProxyNg({ sockets: relay.urls })
  await media.start()
  const { message, sdp } = await media.offer(SipMessage.parse(invite, { address: '127.0.0.1' }), { flags: 'co' })
  const module = await loadModule({ rtpproxy_sock: relay.urls })
  const msg = module.message(invite, { address: '127.0.0.1' })
  const code = await module.rtpproxy_offer(msg, 'co')
  if (code !== 1 || !message.includes(sdp) || sdp.includes('m=audio 4000')) throw new Error('the offer did not go through')
  if (parseSdp(sdp).mediaDescriptions.length !== 1 || decode(encode({ a: 1 })).a !== 1) throw new Error('sdp or bencode')
  const engine = new FakeRtpEngine()
  await engine.start()
  const ng = new NgClient(engine.urls[0])
  if ((await ng.ping()).result !== 'pong') throw new Error('ng or testing')
  await ng.close()
  await engine.close()
  const missing = await redisCallStore().then(() => 'found', (error) => error.code + error.message)
  if (!missing.startsWith('ERR_RTPPROXY_OPTION') || !missing.includes('npm install redis')) throw new Error('redis is not installed here: ' + missing)
  const unmanaged = await managementServer(media).then(() => 'found', (error) => error.code + error.message)
  if (!unmanaged.startsWith('ERR_RTPPROXY_OPTION') || !unmanaged.includes('npm install fastify')) throw new Error('fastify is not installed here: ' + unmanaged)
  await module.close()
  await media.close()
  await relay.close()
  console.log(process.argv[1].split('.').pop() + ': ok')
}
main().catch((error) => { console.error(error); process.exit(1) })
`
const entries = [
  ['{ RtpProxyNg, SipMessage }', 'rtpproxy-ng'],
  ['{ loadModule }', 'rtpproxy-ng/kamailio'],
  ['{ EmbeddedRelay }', 'rtpproxy-ng/relay'],
  ['{ encode, decode }', 'rtpproxy-ng/bencode'],
  ['{ parseSdp }', 'rtpproxy-ng/sdp'],
  ['{ redisCallStore }', 'rtpproxy-ng/redis'],
  ['{ NgClient }', 'rtpproxy-ng/ng'],
  ['{ managementServer }', 'rtpproxy-ng/management'],
  ['{ FakeRtpEngine }', 'rtpproxy-ng/testing'],
]

try {
  /** @type {{filename: string, size: number, unpackedSize: number, files: {path: string}[]}[]} */
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory], {
      cwd: root,
      encoding: 'utf8',
    }),
  )
  if (packed === undefined) throw new Error('npm pack packed nothing')
  const foreign = packed.files
    .map(({ path }) => path)
    .filter((path) => !/^(dist\/|package\.json$|README\.md$|LICENSE$)/.test(path))
  if (foreign.length > 0) throw new Error(`the package carries ${foreign.join(', ')}`)
  writeFileSync(join(directory, 'package.json'), '{"name":"consumer","private":true}')
  run('npm', 'install', '--silent', '--no-audit', '--no-fund', '--offline', join(directory, packed.filename))
  if (
    readdirSync(join(directory, 'node_modules'))
      .filter((name) => !name.startsWith('.'))
      .join() !== 'rtpproxy-ng'
  ) {
    throw new Error('the package brought dependencies along')
  }
  writeFileSync(
    join(directory, 'use.mjs'),
    entries.map(([names, from]) => `import ${names} from '${from}'\n`).join('') + use,
  )
  writeFileSync(
    join(directory, 'use.cjs'),
    entries.map(([names, from]) => `const ${names} = require('${from}')\n`).join('') + use,
  )
  process.stdout.write(run(process.execPath, 'use.mjs'))
  process.stdout.write(run(process.execPath, 'use.cjs'))
  console.log(
    `${packed.filename}: ${packed.files.length} files, ${packed.size} bytes packed, ${packed.unpackedSize} unpacked`,
  )
} finally {
  rmSync(directory, { recursive: true })
}
