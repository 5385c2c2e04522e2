import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
let url: string
let stop: () => void

beforeAll(async () => {
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'demo', '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  stop = () => child.kill()
  url = await new Promise((resolve, reject) => {
    let text = ''
    child.stderr.on('data', chunk => {
      text += chunk
      const found = /page and API on (http:\S+)/.exec(text)
      if (found) resolve(found[1]!)
    })
    child.once('exit', code => reject(new Error(`the demo must run, got exit code ${code}: ${text}`)))
  })
})
afterAll(() => stop())

describe('the demo', () => {
  it('lists the faults of the recording, each with a sentence and a time inside the fault', async () => {
    const { anomalies } = (await (await fetch(`${url}/api/v1/anomalies?limit=500`)).json()) as {
      anomalies: { flow: string; sentence: string; start: number; end: number }[]
    }
    const flows = new Set(anomalies.map(({ flow }) => flow))
    // Upstream black hole; upstream slow; NXDOMAIN storm; replica killed.
    for (const flow of ['coredns-servfail-ratio', 'coredns-upstream-latency', 'coredns-nxdomain-ratio', 'coredns-up'])
      expect(flows).toContain(flow)
    for (const { sentence } of anomalies) expect(sentence.length).toBeGreaterThan(20)
  })

  it('has told the log channel of the faults, and is ready', async () => {
    const delivered = async () => {
      const { channels } = (await (await fetch(`${url}/api/v1/channels`)).json()) as { channels: { delivered: number }[] }
      return channels[0]!.delivered
    }
    await expect.poll(delivered).toBeGreaterThan(8)
    expect((await fetch(`${url}/-/ready`)).status).toBe(200)
  })

  it('keeps points for the chart of each anomaly', async () => {
    const { anomalies } = (await (await fetch(`${url}/api/v1/anomalies?limit=5`)).json()) as { anomalies: { id: string }[] }
    for (const { id } of anomalies) {
      const chart = (await (await fetch(`${url}/api/v1/anomalies/${id}/chart`)).json()) as { times: number[]; upper: number[] }
      expect(chart.times.length).toBeGreaterThan(40)
      expect(chart.upper).toHaveLength(chart.times.length)
    }
  })
})
