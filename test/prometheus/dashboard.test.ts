import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { dashboard } from '../../docs/grafana/dashboard.js'

it('the dashboard in the documentation is the one that its generator makes', () => {
  const file = readFileSync(new URL('../../docs/grafana/rtpproxy-ng.json', import.meta.url), 'utf8')
  expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(dashboard)))
})
