// The status page: no framework and no build of its own. What comes from the server goes into the page as text only.

/** @typedef {{ ms: number | null, commands: number, failures: number, commandMs: number | null, open: number, calls: number }} Sample */
/** @typedef {{ url: string, set: number, weight: number, state: string, calls: number, open: number, samples: Sample[] }} NodeState */
/** @typedef {{ nodes: NodeState[], calls: number, openRequests: number, droppedReplies: number }} Snapshot */

const SVG = { width: 120, height: 24 }
const RETRY_MS = 2000
/** Samples that are drawn, the newest at the right. */
const DRAWN = 60
/** Without a word for so long (the server says one every 15 seconds) the connection is dead, whatever TCP thinks. */
const SILENCE_MS = 40_000
const TOKEN = 'rtpproxy-ng token'

/** @template {Element} T @param {ParentNode} root @param {string} selector @returns {T} */
const find = (root, selector) => /** @type {T} */ (root.querySelector(selector))
/** @param {string} id @returns {HTMLElement} */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id))

/** @returns {Record<string, string>} */
const authorization = () => {
  const token = sessionStorage.getItem(TOKEN)
  return token === null ? {} : { authorization: `Bearer ${token}` }
}

/** @param {string} method @param {unknown[]} params */
async function call(method, params) {
  byId('result').textContent = await request(method, params).catch((error) => `${method}: ${error.message}`)
}

/** Why it failed, else nothing. @param {string} method @param {unknown[]} params @returns {Promise<string>} */
async function request(method, params) {
  const response = await fetch('rpc', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization() },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { error } = await response.json()
  return error === undefined ? '' : (error.message ?? error)
}

/** @param {string} id @returns {HTMLElement} */
function copyOf(id) {
  const template = /** @type {HTMLTemplateElement} */ (byId(id))
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true))
}

/** Elements by set, and by set and URL: they stay where they are, so that the focus does. */
const sets = new Map()
const nodes = new Map()

/** @param {NodeState} node */
function elementOf(node) {
  const key = `${node.set} ${node.url}`
  const known = nodes.get(key)
  if (known !== undefined) return known
  let section = sets.get(node.set)
  if (section === undefined) {
    section = copyOf('set')
    find(section, 'h2').textContent = `Set ${node.set}`
    sets.set(node.set, section)
    byId('sets').append(section)
  }
  const item = copyOf('node')
  find(item, 'h3').textContent = node.url
  find(item, '.toggle').addEventListener('click', (event) => {
    const { enable } = /** @type {HTMLElement} */ (event.currentTarget).dataset
    void call('nh_enable_rtpp', [node.url, enable === 'true'])
  })
  find(item, '.drain').addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.currentTarget)
    if (button.ariaDisabled !== 'true') void call('drain', [node.url])
  })
  find(section, 'ul').append(item)
  nodes.set(key, item)
  return item
}

/** @param {HTMLElement} item @param {NodeState} node */
function show(item, node) {
  const { state, url, weight, calls, open, samples } = node
  const stateElement = find(item, '.state')
  stateElement.textContent = state
  stateElement.className = `state ${state}`
  const last = samples.at(-1)?.ms
  const lost = samples.filter(({ ms }) => ms === null).length
  const ping = last === null ? 'no answer' : timeOf(last)
  const [failures, commands] = [
    sum(samples.map((one) => one.failures)),
    sum(samples.map((one) => one.commands)),
  ]
  for (const [name, text] of Object.entries({
    weight,
    calls,
    open,
    ping,
    lost: `${lost} of ${samples.length} lost`,
    command: timeOf(samples.findLast(({ commandMs }) => commandMs !== null)?.commandMs),
    failed: commands === 0 ? 'none yet' : `${failures} of ${commands} failed`,
  }))
    find(item, `.${name}`).textContent = String(text)
  find(item, '.lost').classList.toggle('bad', lost > 0)
  find(item, '.failed').classList.toggle('bad', failures > 0)
  draw(item, samples)
  const toggle = /** @type {HTMLElement} */ (find(item, '.toggle'))
  const off = state === 'disabled' || state === 'draining'
  toggle.textContent = off ? 'Enable' : 'Disable'
  toggle.dataset.enable = String(off)
  toggle.setAttribute('aria-label', `${off ? 'Enable' : 'Disable'} ${url}`)
  // Not `disabled`: that would take the focus from who has just pressed it.
  const drain = find(item, '.drain')
  drain.ariaDisabled = String(off)
  drain.setAttribute('aria-label', `Drain ${url}`)
}

/** @param {number | null | undefined} ms */
const timeOf = (ms) => (typeof ms === 'number' ? `${ms.toFixed(1)} ms` : '–')
/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`
/** @param {number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0)

/** @param {HTMLElement} item @param {Sample[]} samples */
function draw(item, samples) {
  const pings = samples.map(({ ms }) => ({ ms, lost: ms === null ? 1 : 0 }))
  sparkline(find(item, '.pings'), pings, `ping of the last ${samples.length} samples`)
  const commands = samples.map(({ commandMs, commands, failures }) => ({
    ms: commandMs,
    lost: commands === 0 ? 0 : failures / commands,
  }))
  sparkline(find(item, '.commands'), commands, `commands in the last ${samples.length} samples`)
}

/** A line of times, and bars as high as the share that was lost. @param {Element} svg @param {{ ms: number | null, lost: number }[]} points @param {string} what */
function sparkline(svg, points, what) {
  const most = Math.max(...points.map(({ ms }) => ms ?? 0), 1)
  const bottom = SVG.height - 1
  const x = (/** @type {number} */ i) =>
    (1 + ((DRAWN - points.length + i) * (SVG.width - 2)) / (DRAWN - 1)).toFixed(1)
  const y = (/** @type {number} */ share) => (bottom - share * (SVG.height - 2)).toFixed(1)
  const line = points.map(({ ms }, i) => {
    if (ms === null) return ''
    const isFirst = i === 0 || points[i - 1]?.ms === null
    // Alone, a point is seen as a short line.
    return `${isFirst ? 'M' : 'L'}${x(i)} ${y(ms / most)}${isFirst ? 'h-0.5h0.5' : ''}`
  })
  const losses = points.map(({ lost }, i) => (lost > 0 ? `M${x(i)} ${bottom}V${y(lost)}` : ''))
  find(svg, '.line').setAttribute('d', line.join(''))
  find(svg, '.losses').setAttribute('d', losses.join(''))
  svg.setAttribute('aria-label', `${what}, at most ${most.toFixed(1)} ms`)
}

/** @param {Snapshot} snapshot */
function showAll(snapshot) {
  byId('totals').textContent =
    `${count(snapshot.calls, 'call')}, ${count(snapshot.openRequests, 'open request')}, ${count(snapshot.droppedReplies, 'dropped reply', 'dropped replies')}`
  const gone = new Set(nodes.keys())
  for (const node of snapshot.nodes) {
    gone.delete(`${node.set} ${node.url}`)
    show(elementOf(node), node)
  }
  for (const key of gone) {
    nodes.get(key).remove()
    nodes.delete(key)
  }
  const down = snapshot.nodes.filter(({ state }) => state === 'down').length
  document.title = `${down > 0 ? `${down} down – ` : ''}Media proxies`
  byId('none').hidden = snapshot.nodes.length > 0
  for (const [set, section] of sets) {
    if (section.querySelector('li') !== null) continue
    section.remove()
    sets.delete(set)
  }
}

/** Reads events: `EventSource` cannot send a token. Resolves when the stream ends. */
async function watch() {
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), SILENCE_MS)
  const headers = authorization()
  const response = await fetch('events', { headers, signal: silence.signal })
  byId('door').hidden = response.status !== 401
  if (response.status === 401)
    throw new Error(headers.authorization === undefined ? 'a token is needed' : 'this is not the token')
  if (!response.ok || response.body === null) throw new Error(`status ${response.status}`)
  connection('live', true)
  let text = ''
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(), SILENCE_MS)
    text += chunk.value
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    // Comments show that it lives.
    const last = events.findLast((event) => event.startsWith('data: '))
    if (last !== undefined) showAll(JSON.parse(last.slice('data: '.length)))
  }
}

/** @param {string} text @param {boolean} isLive */
function connection(text, isLive) {
  byId('connection').textContent = text
  byId('connection').classList.toggle('live', isLive)
  byId('sets').classList.toggle('stale', !isLive)
}

let isWaiting = false
async function watchForEver() {
  for (;;) {
    let why = 'connection lost'
    try {
      await watch()
    } catch (error) {
      // What a browser says when it reaches nobody is about itself.
      if (error instanceof Error && error.constructor === Error) why = error.message
    }
    connection(why, false)
    if (!byId('door').hidden) {
      isWaiting = true
      return
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

byId('door').addEventListener('submit', (event) => {
  event.preventDefault()
  sessionStorage.setItem(TOKEN, /** @type {HTMLInputElement} */ (byId('token')).value)
  if (!isWaiting) return
  isWaiting = false
  void watchForEver()
})
void watchForEver()
