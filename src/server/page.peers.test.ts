import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hashPassword, hashToken } from '../password.ts'
import { calmWorld, FAKE_NOW, type FakeWorld, fakeServerParts, learnedWorld, oddWorld } from '../testing/fake-server-parts.ts'
import { freePorts } from '../testing/free-ports.ts'
import { troubledWorld } from '../testing/troubled-world.ts'
import { makeApp } from './app.ts'
import { type Listening, listen } from './listen.ts'

const [PORT] = await freePorts(1)
/** Folder that takes pictures for people to look at; none are taken without it. */
const SHOTS = process.env.TIDEWATCH_SHOTS

describe('page in a browser', () => {
  let browser: Browser
  let server: Listening | undefined
  const closing: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    await build({ root: 'web', logLevel: 'error' })
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
  })
  afterAll(() => browser?.close())
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
    await server?.close()
    server = undefined
  })

  /** Opens the page over a world; every request to anywhere else and every error of the page is kept. */
  async function open(world: FakeWorld | undefined, options: BrowserContextOptions = {}, hash = '') {
    if (world) server = await listen(makeApp(fakeServerParts(world), { lookEvery: 30 }), { host: '127.0.0.1', port: PORT })
    const context = await browser.newContext({ timezoneId: 'UTC', locale: 'en-GB', reducedMotion: 'reduce', ...options })
    closing.push(() => context.close())
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', line => line.type() === 'error' && complaints.push(line.text()))
    page.on('request', request => {
      if (!request.url().startsWith(`http://127.0.0.1:${PORT}/`)) complaints.push(`asked ${request.url()}`)
    })
    await page.goto(`http://127.0.0.1:${PORT}/${hash}`, { waitUntil: 'load' })
    return { page, complaints }
  }

  async function shoot(page: Page, name: string) {
    if (!SHOTS) return
    await page.waitForTimeout(400)
    await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true })
  }

  const wide = { viewport: { width: 1280, height: 2600 } }
  const narrow = { viewport: { width: 360, height: 4800 } }

  it('says that nothing is odd, what is watched and since when', async () => {
    const { page, complaints } = await open(calmWorld(), { viewport: { width: 1280, height: 900 } })
    await page.getByRole('heading', { level: 1, name: 'Nothing is odd now' }).waitFor()
    await page.getByText('Everything has followed its tide so far.').waitFor()
    expect(await page.locator('.detail').textContent()).toContain('Watching 12 series in 3 flows since 9 Mar, 14:30')
    expect(await page.locator('.watch').textContent()).toContain('coredns-latency')
    await shoot(page, 'empty-light')
    expect(complaints).toEqual([])
  })

  it.each([
    ['full-light', wide],
    ['full-dark', { ...wide, colorScheme: 'dark' as const }],
    ['narrow-light', narrow],
    ['narrow-dark', { ...narrow, colorScheme: 'dark' as const }],
  ])('shows what is odd with charts and numbers: %s', async (name, options) => {
    const { page, complaints } = await open(oddWorld(), options)
    await page.getByRole('heading', { level: 1, name: '2 things are odd now' }).waitFor()
    const cards = page.getByRole('article')
    expect(await cards.count()).toBe(5)
    expect(await cards.nth(0).getByRole('heading').textContent()).toContain('91 times the expected 21 ms')
    const numbers = cards.nth(0).locator('.numbers')
    for (const text of ['1.92', '0.021', '0.012 … 0.034', '8.4×', '14:16', '14 min'])
      expect(await numbers.textContent()).toContain(text)
    // Missing data is reported after a while, and begins with the last sample.
    for (const text of ['11 Mar, 12:27', '33 min']) expect(await cards.nth(3).locator('.numbers').textContent()).toContain(text)
    // One for each of five anomalies, but two for the one that lies in two columns.
    await expect.poll(() => page.locator('canvas').count()).toBe(6)
    expect(await cards.nth(1).locator('.column').allTextContents()).toEqual([
      'zone=a, 75% of the score',
      'zone=b, 25% of the score',
    ])
    expect(await page.getByText('must answer within 10s').count()).toBe(1)
    expect(await page.getByText('nobody: shorter than 10m').count()).toBe(1)
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(overflow).toBe(0)
    await shoot(page, name)
    expect(complaints).toEqual([])
  })

  it.each([
    ['models-light', { viewport: { width: 1280, height: 1500 } }],
    ['models-dark', { viewport: { width: 1280, height: 1500 }, colorScheme: 'dark' as const }],
    ['models-narrow-light', { viewport: { width: 360, height: 2600 } }],
    ['models-narrow-dark', { viewport: { width: 360, height: 2600 }, colorScheme: 'dark' as const }],
  ])('shows models and fits where there are any, and takes one back: %s', async (name, options) => {
    const world = learnedWorld()
    const { page, complaints } = await open(world, options)
    await page.getByText('2 models in force').click()
    expect(await page.locator('.models').count()).toBe(1)
    expect(await page.getByRole('progressbar').getAttribute('value')).toBe('0.64')
    expect(await page.locator('.models').textContent()).toContain('was not fitted: a fit must end within its deadline')
    const first = page.getByRole('region', { name: 'Models of lstm of {job="coredns",server="dns://:53"}' })
    const versions = first.getByRole('listitem')
    expect(await versions.count()).toBe(4)
    expect(await versions.nth(0).textContent()).toContain('refused')
    expect(await versions.nth(1).textContent()).toContain('3,100 rows of')
    expect(await versions.nth(3).textContent()).toContain('of another configuration')
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(overflow).toBe(0)
    await shoot(page, name)
    await first.getByRole('button', { name: 'Put model 3 of lstm' }).click()
    await expect.poll(() => versions.nth(2).textContent()).toContain('in force')
    expect(world.models.find(model => model.version === 4)!.status).toBe('retired')
    expect(complaints).toEqual([])
  })

  it('says why a model could not be taken back', async () => {
    const { page } = await open(learnedWorld())
    const error = { code: 'conflict', message: 'version must be one of the flow as it is configured now, got 3 of another' }
    await page.route('**/restore', route => route.fulfill({ status: 409, json: { error } }))
    await page.getByText('2 models in force').click()
    await page.getByRole('button', { name: 'Put model 3 of lstm' }).click()
    await page.getByRole('alert').filter({ hasText: 'version must be one of' }).waitFor()
  })

  it.each([
    ['troubled-light', { viewport: { width: 1280, height: 1800 } }],
    ['troubled-dark', { viewport: { width: 1280, height: 1800 }, colorScheme: 'dark' as const }],
    ['troubled-narrow-light', { viewport: { width: 390, height: 3000 } }],
    ['troubled-narrow-dark', { viewport: { width: 390, height: 3000 }, colorScheme: 'dark' as const }],
  ])('claims no more than it sees while the watch is impaired: %s', async (name, options) => {
    const { page, complaints } = await open(troubledWorld(), options)
    await page.getByRole('heading', { level: 1, name: 'The watch is not ready' }).waitFor()
    const bar = page.getByRole('alert').filter({ hasText: 'The watch is impaired' })
    expect(await bar.getByRole('listitem').allTextContents()).toEqual([
      'The store cannot be written: disk I/O error (since 14:28)',
      expect.stringContaining('The channel chat does not deliver'),
    ])
    await page.getByText('What can be seen follows its tide.').waitFor()
    const flows = page.locator('.watch .row')
    expect(await flows.filter({ hasText: 'coredns-up' }).textContent()).toContain('no data')
    expect(await flows.filter({ hasText: 'coredns-latency' }).textContent()).toContain('delay must be at least 50s, got 30s')
    const withdrawn = page.getByRole('article').filter({ hasText: 'is not configured any more' })
    expect(await withdrawn.textContent()).toContain('oncall withdrawn 13:30')
    expect(await page.getByRole('article').filter({ hasText: 'did not deliver' }).locator('.plot, .numbers').count()).toBe(0)
    expect(await page.getByText('Nobody heard of this one.').count()).toBe(0)
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(overflow).toBe(0)
    await shoot(page, name)
    expect(complaints).toEqual([])
  })

  it('is not calm about a flow that finds no data', async () => {
    const world = calmWorld()
    world.flows = world.flows.map(state => ({ ...state, lastRun: { ...state.lastRun!, series: 0 } }))
    const { page } = await open(world, { viewport: { width: 1280, height: 1000 } })
    await page.getByRole('heading', { level: 1, name: 'Nothing odd is seen' }).waitFor()
    expect(await page.locator('.detail').textContent()).toContain('3 flows without data')
    await page.getByText('Nothing can be seen now.').waitFor()
    await shoot(page, 'no-data')
  })

  it('says that its credentials are not accepted any more', async () => {
    const { page } = await open(oddWorld(), { viewport: { width: 1280, height: 900 } })
    await page.getByText('live', { exact: true }).waitFor()
    const error = { code: 'credentials', message: 'must have the credentials of server.auth' }
    await page.route('**/api/v1/status', route => route.fulfill({ status: 401, json: { error } }))
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.getByRole('alert').filter({ hasText: 'Your credentials are not accepted.' }).waitFor()
    expect(await page.getByRole('article').count()).toBe(5)
    await shoot(page, 'refused')
  })

  it('is a page that says how to get in for who has no password', async () => {
    const world = calmWorld()
    // With `basic` the browser's own dialog comes first, which no test can see.
    const auth = { basic: {}, bearer: { scraper: hashToken('token') }, open: [] }
    world.configuration = { ...world.configuration, server: { ...world.configuration.server, auth } }
    const { page } = await open(world, { viewport: { width: 390, height: 500 } })
    await page.getByRole('heading', { name: 'This Tidewatch is locked' }).waitFor()
    await shoot(page, 'locked')
  })

  it('draws the band and the odd stretch', async () => {
    const { page } = await open(oddWorld(), wide)
    await page.locator('canvas').nth(2).waitFor()
    // A canvas is there before it is drawn.
    const colours = () =>
      page.evaluate(`(() => {
        const canvas = document.querySelectorAll('canvas')[2]
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        const seen = new Set()
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 0) seen.add([data[i], data[i + 1], data[i + 2]].map(x => x >> 4).join())
        return [...seen]
      })()`) as Promise<string[]>
    // Thin lines have no pixel of their own colour alone, so a shade beside it counts too.
    const isDrawn = async () => {
      const seen = (await colours()).map(colour => colour.split(',').map(Number))
      return [
        [0xc, 0x4, 0x0],
        [0x0, 0x6, 0x7],
      ].every(wanted => seen.some(colour => colour.every((part, i) => Math.abs(part - wanted[i]!) <= 1)))
    }
    await expect.poll(isDrawn).toBe(true)
    expect((await colours()).length).toBeGreaterThan(5)
  })

  it('follows the server without being loaded again', async () => {
    const world = calmWorld()
    const { page } = await open(world)
    await page.getByText('live', { exact: true }).waitFor()
    const odd = oddWorld()
    world.anomalies = odd.anomalies.slice(0, 1)
    world.flows = world.flows.map(state => ({ ...state, lastRun: { ...state.lastRun!, finishedAt: FAKE_NOW } }))
    await page.getByRole('heading', { level: 1, name: 'One thing is odd now' }).waitFor()
  })

  it('opens a linked anomaly, listed or not', async () => {
    const { page } = await open(oddWorld(), { viewport: { width: 1000, height: 700 } }, '#/anomalies/a-4')
    await page.locator('.card.linked').waitFor()
    expect(await page.evaluate('document.activeElement.textContent')).toContain('had no data for 33 minutes')
    await page.evaluate("location.hash = '#/anomalies/none'")
    await page.getByText('There is no such anomaly').waitFor()
    expect(await page.locator('.card.linked').count()).toBe(0)
  })

  it('is kept when the server goes away, and says so', async () => {
    const { page } = await open(oddWorld())
    await page.getByText('live', { exact: true }).waitFor()
    await server!.close()
    server = undefined
    await page.getByRole('alert').filter({ hasText: 'Tidewatch does not answer' }).waitFor()
    expect(await page.getByRole('article').count()).toBe(5)
    await shoot(page, 'down')
    server = await listen(makeApp(fakeServerParts(oddWorld())), { host: '127.0.0.1', port: PORT })
    await page.getByRole('heading', { level: 1, name: '2 things are odd now' }).waitFor()
    await page.locator('canvas').first().waitFor()
  })

  it('polls when events are not to be had', async () => {
    const world = calmWorld()
    const context = await browser.newContext()
    closing.push(() => context.close())
    await context.route('**/api/v1/events', route => route.abort())
    server = await listen(makeApp(fakeServerParts(world)), { host: '127.0.0.1', port: PORT })
    const page = await context.newPage()
    await page.goto(server.url)
    await page.getByText('every few seconds', { exact: true }).waitFor()
    world.anomalies = oddWorld().anomalies.slice(0, 1)
    await page.getByRole('heading', { level: 1, name: 'One thing is odd now' }).waitFor()
  })

  it('does not run what a series is called', async () => {
    const world = oddWorld()
    world.anomalies = [
      {
        ...world.anomalies[0]!,
        labels: { zone: '<img src=x onerror="document.title=1">' },
        annotations: { runbook: 'javascript:document.title=1', owner: '<b>x</b>' },
      },
    ]
    const { page, complaints } = await open(world)
    await page.getByText('<img src=x').waitFor()
    expect(await page.title()).toBe('(1) Tidewatch')
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('is walked through by keyboard', async () => {
    const { page } = await open(oddWorld(), wide)
    await page.getByRole('article').first().waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to what is odd')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.keyboard.press('Tab')
    expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe('#/anomalies/a-1')
  })

  it('is given to who has the password, with its events', async () => {
    const world = oddWorld()
    const auth = { basic: { ann: await hashPassword('correct horse', Buffer.alloc(16)) }, bearer: {}, open: [] }
    world.configuration = { ...world.configuration, server: { ...world.configuration.server, auth } }
    const { page, complaints } = await open(world, { httpCredentials: { username: 'ann', password: 'correct horse' } })
    await page.getByText('91 times the expected').first().waitFor()
    const heard = await page.evaluate(
      () =>
        new Promise(resolve => {
          const events = new EventSource('./api/v1/events')
          events.addEventListener('ping', () => resolve('ping'))
          events.addEventListener('error', () => resolve('error'))
        }),
    )
    expect(heard).toBe('ping')
    // A browser asks without the password first.
    expect(complaints.filter(complaint => !complaint.includes('401'))).toEqual([])
  })
})
