import { mkdirSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ManagementServer, managementServer } from '../../src/management/index.ts'
import { RtpProxyNg } from '../../src/module/client.ts'
import { FakeRtpEngine } from '../../src/testing/engine.ts'
import { findProgram } from './program.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
/** What the browser makes of paths: it sees nothing of this file. */
const pathsOf = (paths: unknown[]) =>
  paths.map((path) => (path as { getAttribute(name: string): string }).getAttribute('d')).join(' ')
const TOKEN = 'a token of 24 characters'
/** Where `SCREENSHOTS=docs/screenshots npm run test:real` has the pictures of the docs made. */
const pictures = process.env.SCREENSHOTS
const program = findProgram('chromium', 'chromium')

describe.skipIf(program === undefined)('the status page in a real browser', () => {
  let browser: Browser
  let engines: FakeRtpEngine[]
  let media: RtpProxyNg
  let server: ManagementServer
  const errors: string[] = []
  beforeAll(async () => {
    // The sandbox of Chromium does not work for root, as which CI runs.
    browser = await chromium.launch({ executablePath: program!, args: ['--no-sandbox'] })
    if (pictures !== undefined) mkdirSync(pictures, { recursive: true })
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    engines = [new FakeRtpEngine(), new FakeRtpEngine(), new FakeRtpEngine()]
    for (const engine of engines) await engine.start()
    const [a, b, c] = engines.map(({ urls }) => urls[0])
    media = new RtpProxyNg({
      sockets: [`1 == ${a}=2 ${b}=1`, `2 == ${c}`],
      timeoutMs: 1000,
      attempts: 1,
      disableMs: 200,
    })
    await media.start()
    for (let i = 0; i < 20; i++)
      await media.command('offer', { 'call-id': `call ${i}`, 'from-tag': 'f', sdp: SDP }, { set: 1 })
    errors.length = 0
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    await server.close()
    await media.close()
    for (const engine of engines) await engine.close()
    expect(errors).toEqual([])
  })

  interface Opening extends BrowserContextOptions {
    readonly token?: string
    readonly sampleMs?: number
    /** The time of the page passes when the test says so. */
    readonly hasClock?: boolean
  }
  async function open({ token, sampleMs = 100, hasClock, ...options }: Opening = {}): Promise<Page> {
    server = await managementServer(media, { sampleMs, token })
    const context = await browser.newContext(options)
    const page = await context.newPage()
    if (hasClock) await page.clock.install()
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => {
      // A refused token is no fault of the page.
      if (message.type() === 'error' && !message.text().includes('401')) errors.push(message.text())
    })
    await page.goto(server.url)
    return page
  }
  const item = (page: Page, index: number) => page.locator('li', { hasText: engines[index]!.urls[0]! })
  /** Commands, some of which fail, until what it returns is called. */
  function traffic(): () => void {
    let n = 0
    const timer = setInterval(() => {
      const callId = ++n % 9 === 0 ? `none ${n}` : `call ${n % 20}`
      media.request('query', { 'call-id': callId }, { set: 1 }).catch(() => undefined)
    }, 10)
    return () => clearInterval(timer)
  }
  const picture = async (page: Page, name: string) => {
    if (pictures === undefined) return
    // A picture has more to show when there is something in it.
    const end = traffic()
    const drawn = async () =>
      (await page.locator('.commands .line').first().getAttribute('d'))?.split('L').length
    await expect.poll(drawn, { timeout: 20_000 }).toBeGreaterThan(55)
    await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true })
    end()
  }

  it('shows sets, media proxies, their states, weights, calls and pings, and goes on doing so', async () => {
    const page = await open()
    await expect.poll(() => page.locator('h2').allTextContents()).toEqual(['Set 1', 'Set 2'])
    expect(await page.locator('li').count()).toBe(3)
    expect(await item(page, 0).locator('.weight').textContent()).toBe('2')
    expect(await page.locator('#totals').textContent()).toContain('20 calls')
    await expect.poll(() => item(page, 0).locator('.ping').textContent()).toMatch(/^\d+\.\d ms$/)
    await engines[2]!.stop()
    await expect.poll(() => item(page, 2).locator('.ping').textContent()).toBe('no answer')
    await expect.poll(() => item(page, 2).locator('.pings .losses').getAttribute('d')).toContain('M')
    const end = traffic()
    const commands = () => page.locator('.commands .line').evaluateAll(pathsOf)
    await expect.poll(commands).toMatch(/(L.*){8}/)
    const failed = () => page.locator('.commands .losses').evaluateAll(pathsOf)
    await expect.poll(failed).toContain('V')
    expect(await item(page, 1).locator('.failed').textContent()).toMatch(/^\d+ of \d+ failed$/)
    await expect.poll(() => page.title()).toBe('1 down – Media proxies')
    end()
    await picture(page, 'light')
  })

  it('says so when there is nothing to show', async () => {
    const page = await open()
    await page.locator('li').first().waitFor()
    expect(await page.locator('#none').isVisible()).toBe(false)
    await media.setNodes([])
    await expect.poll(() => page.locator('#none').isVisible()).toBe(true)
    expect(await page.locator('#none').textContent()).toBe('There are no media proxies.')
    expect(await page.locator('section').count()).toBe(0)
  })

  it('says why a button has changed nothing, where it is seen', async () => {
    const page = await open({ viewport: { width: 360, height: 500 }, sampleMs: 3_600_000 })
    const disable = item(page, 0).getByRole('button', { name: /^Disable/ })
    await disable.waitFor()
    const { port } = new URL(server.url)
    await server.close()
    await disable.click()
    await expect.poll(() => page.locator('#result').textContent()).toMatch(/^nh_enable_rtpp: .+/)
    const { y, height } = (await page.locator('#result').boundingBox())!
    expect(y + height).toBeLessThanOrEqual(500)
    server = await managementServer(media, { listen: `127.0.0.1:${port}`, sampleMs: 100 })
    await disable.click()
    await expect.poll(() => page.locator('#result').textContent()).toBe('')
    errors.length = 0
  })

  it('disables, enables and drains by button', async () => {
    const page = await open()
    const state = (index: number) => item(page, index).locator('.state').textContent()
    await item(page, 0)
      .getByRole('button', { name: /^Disable/ })
      .click()
    await expect.poll(() => state(0)).toBe('disabled')
    expect(media.show()[0]?.state).toBe('disabled')
    await item(page, 0)
      .getByRole('button', { name: /^Enable/ })
      .click()
    await expect.poll(() => state(0)).toBe('up')
    await item(page, 1)
      .getByRole('button', { name: /^Drain/ })
      .click()
    await expect.poll(() => state(1)).toBe('draining')
    expect(
      await item(page, 1)
        .getByRole('button', { name: /^Drain/ })
        .isDisabled(),
    ).toBe(true)
  })

  it('works by keyboard, and keeps the focus where it is while it is redrawn', async () => {
    const page = await open()
    await page.locator('li').first().waitFor()
    await page.keyboard.press('Tab')
    const focused = () => page.evaluate('document.activeElement.getAttribute("aria-label")')
    expect(await focused()).toBe(`Disable ${engines[0]!.urls[0]}`)
    await page.keyboard.press('Enter')
    await expect.poll(() => item(page, 0).locator('.state').textContent()).toBe('disabled')
    await expect.poll(focused).toBe(`Enable ${engines[0]!.urls[0]}`)
    await page.keyboard.press('Space')
    await expect.poll(() => item(page, 0).locator('.state').textContent()).toBe('up')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => item(page, 0).locator('.state').textContent()).toBe('draining')
    expect(await focused()).toBe(`Drain ${engines[0]!.urls[0]}`)
    // It has nothing to do any more, and leads on to the next one.
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe(`Disable ${engines[1]!.urls[0]}`)
  })

  it('is dark for those who like it so', async () => {
    const page = await open({ colorScheme: 'dark' })
    await page.locator('li').first().waitFor()
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor')
    expect(ground).toBe('rgb(20, 23, 26)')
    media.drain(engines[1]!.urls[0]!).catch(() => undefined)
    await expect.poll(() => item(page, 1).locator('.state').textContent()).toBe('draining')
    await picture(page, 'dark')
  })

  it('fits on a phone', async () => {
    const page = await open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true })
    await page.locator('li').first().waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
    const heights = await page
      .locator('li button')
      .evaluateAll((buttons) =>
        buttons.map((button) => (button as unknown as { offsetHeight: number }).offsetHeight),
      )
    // What a finger needs (WCAG 2.2, 2.5.5).
    for (const height of heights) expect(height).toBeGreaterThanOrEqual(44)
    await picture(page, 'phone')
  })

  it('asks for the token, and takes the right one', async () => {
    const page = await open({ token: TOKEN })
    await expect.poll(() => page.locator('#connection').textContent()).toBe('a token is needed')
    await page.getByLabel('Token').fill('a token that is not the right one')
    await page.getByRole('button', { name: 'Open' }).click()
    await expect.poll(() => page.locator('#connection').textContent()).toBe('this is not the token')
    await page.getByLabel('Token').fill(TOKEN)
    await page.getByRole('button', { name: 'Open' }).click()
    await expect.poll(() => page.locator('li').count()).toBe(3)
    expect(await page.locator('#door').isVisible()).toBe(false)
    await item(page, 0)
      .getByRole('button', { name: /^Disable/ })
      .click()
    await expect.poll(() => item(page, 0).locator('.state').textContent()).toBe('disabled')
  })

  it('comes back by itself when the server does', async () => {
    const page = await open()
    await page.locator('li').first().waitFor()
    const { port } = new URL(server.url)
    await server.close()
    await expect.poll(() => page.locator('#connection').textContent()).toBe('connection lost')
    expect(await page.locator('main').getAttribute('class')).toBe('stale')
    errors.length = 0
    server = await managementServer(media, { listen: `127.0.0.1:${port}`, sampleMs: 100 })
    await expect.poll(() => page.locator('#connection').textContent(), { timeout: 10_000 }).toBe('live')
    expect(await page.locator('main').getAttribute('class')).toBe('')
    // The browser reports what it could not reach meanwhile.
    errors.length = 0
  })

  it('does not call itself live when nothing has come for long, and asks again', async () => {
    const page = await open({ sampleMs: 3_600_000, hasClock: true })
    await page.locator('.pings .line[d^=M]').first().waitFor({ state: 'attached' })
    await page.clock.pauseAt(Date.now() + 60_000)
    await expect.poll(() => page.locator('#connection').textContent()).toBe('connection lost')
    await page.clock.runFor(2000)
    await expect.poll(() => page.locator('#connection').textContent()).toBe('live')
  })
})
