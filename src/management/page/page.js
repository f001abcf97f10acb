// The status page: no framework and no build of its own. What comes from the server goes into the page as text only.

/** @typedef {{ ms: number | null, open: number, calls: number }} Sample */
/** @typedef {{ url: string, set: number, weight: number, state: string, calls: number, open: number, samples: Sample[] }} NodeState */
/** @typedef {{ nodes: NodeState[], calls: number, openRequests: number, droppedReplies: number }} Snapshot */

const SVG = { width: 120, height: 24 }
const RETRY_MS = 2000
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
  const response = await fetch('rpc', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization() },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { error } = await response.json()
  byId('result').textContent = error === undefined ? '' : (error.message ?? error)
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
  find(item, '.drain').addEventListener('click', () => void call('drain', [node.url]))
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
  const ping = last === undefined ? '–' : last === null ? 'no answer' : `${last.toFixed(1)} ms`
  for (const [name, text] of Object.entries({
    weight,
    calls,
    open,
    ping,
    lost: `${lost} of ${samples.length}`,
  }))
    find(item, `.${name}`).textContent = String(text)
  draw(item, samples)
  const toggle = /** @type {HTMLElement} */ (find(item, '.toggle'))
  const off = state === 'disabled' || state === 'draining'
  toggle.textContent = off ? 'Enable' : 'Disable'
  toggle.dataset.enable = String(off)
  toggle.setAttribute('aria-label', `${off ? 'Enable' : 'Disable'} ${url}`)
  const drain = /** @type {HTMLButtonElement} */ (find(item, '.drain'))
  drain.disabled = off
  drain.setAttribute('aria-label', `Drain ${url}`)
}

/** @param {HTMLElement} item @param {Sample[]} samples */
function draw(item, samples) {
  const times = samples.map(({ ms }) => ms ?? 0)
  const most = Math.max(...times, 1)
  const x = (/** @type {number} */ i) => (i * SVG.width) / 59
  const line = samples.map(({ ms }, i) => {
    if (ms === null) return ''
    const isFirst = i === 0 || samples[i - 1]?.ms === null
    return `${isFirst ? 'M' : 'L'}${x(i).toFixed(1)} ${(SVG.height - 1 - (ms / most) * (SVG.height - 2)).toFixed(1)}`
  })
  const losses = samples.map(({ ms }, i) => (ms === null ? `M${x(i).toFixed(1)} 1V${SVG.height - 1}` : ''))
  find(item, '.line').setAttribute('d', line.join(''))
  find(item, '.losses').setAttribute('d', losses.join(''))
  const told = `ping of the last ${samples.length} samples, at most ${most.toFixed(1)} ms`
  find(item, 'svg').setAttribute('aria-label', told)
}

/** @param {Snapshot} snapshot */
function showAll(snapshot) {
  byId('totals').textContent =
    `${snapshot.calls} calls, ${snapshot.openRequests} open requests, ${snapshot.droppedReplies} replies dropped`
  const gone = new Set(nodes.keys())
  for (const node of snapshot.nodes) {
    gone.delete(`${node.set} ${node.url}`)
    show(elementOf(node), node)
  }
  for (const key of gone) {
    nodes.get(key).remove()
    nodes.delete(key)
  }
  for (const [set, section] of sets) {
    if (section.querySelector('li') !== null) continue
    section.remove()
    sets.delete(set)
  }
}

/** Reads events: `EventSource` cannot send a token. Resolves when the stream ends. */
async function watch() {
  const response = await fetch('events', { headers: authorization() })
  byId('door').hidden = response.status !== 401
  if (!response.ok || response.body === null)
    throw new Error(response.status === 401 ? 'a token is needed' : `status ${response.status}`)
  byId('connection').textContent = 'live'
  let text = ''
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    text += chunk.value
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    const last = events.at(-1)
    if (last !== undefined) showAll(JSON.parse(last.slice('data: '.length)))
  }
}

let isWaiting = false
async function watchForEver() {
  for (;;) {
    let why = 'connection lost'
    try {
      await watch()
    } catch (error) {
      why = error instanceof Error ? error.message : String(error)
    }
    byId('connection').textContent = why
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
