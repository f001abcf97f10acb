// The Grafana dashboard of docs/observability.md: `npm run docs:dashboard` writes it to rtpproxy-ng.json.

import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

const datasource = { type: 'prometheus', uid: '$datasource' }
/** Which scraped servers are shown. */
const at = 'instance=~"$instance"'

let panels = 0

/** @typedef {readonly [expression: string, legend: string]} Query */

/**
 * @template {TimeSeriesBuilder | StatBuilder | StateTimelineBuilder} Panel
 * @param {Panel} panel
 * @param {{ title: string, description: string, unit: string, width: number, queries: readonly Query[] }} options
 * @returns {Panel}
 */
function filled(panel, { title, description, unit, width, queries }) {
  panel
    .id(++panels)
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .height(width < 6 ? 4 : 8)
    .span(width)
  for (const [index, [expression, legend]] of queries.entries()) {
    const query = new DataqueryBuilder().refId(String.fromCharCode(65 + index)).datasource(datasource)
    panel.withTarget(query.expr(expression).legendFormat(legend))
  }
  return panel
}

/** @param {string} title @param {string} description @param {string} unit @param {Query[]} queries */
const graph = (title, description, unit, ...queries) =>
  filled(new TimeSeriesBuilder().min(0), { title, description, unit, width: 12, queries })

/** @param {string} title @param {string} description @param {string} unit @param {string} expression */
const number = (title, description, unit, expression) =>
  filled(new StatBuilder(), { title, description, unit, width: 4, queries: [[expression, '']] })

const rate = (/** @type {string} */ metric, more = '') =>
  `rate(rtpproxy_ng_${metric}{${at}${more}}[$__rate_interval])`
const asked = ', command!="ping"'
const failed = `${asked}, result!~"ok|remembered"`
const quantile = (/** @type {number} */ q, /** @type {string} */ by) =>
  `histogram_quantile(${q}, sum by (${by}) (${rate('command_duration_seconds_bucket', asked)}))`

export const dashboard = new DashboardBuilder('Media proxies (rtpproxy-ng)')
  .uid('rtpproxy-ng')
  .description('Calls, commands and states of the media proxies that rtpproxy-ng puts into calls.')
  .tags(['sip', 'rtpengine', 'rtpproxy-ng'])
  .refresh('10s')
  .time({ from: 'now-1h', to: 'now' })
  .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
  .withVariable(
    new QueryVariableBuilder('instance')
      .label('Server')
      .datasource(datasource)
      .query({ query: 'label_values(rtpproxy_ng_open_commands, instance)', refId: 'instances' })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .multi(true)
      .includeAll(true)
      .allValue('.+')
      .current({ text: 'All', value: '$__all' }),
  )
  .withRow(new RowBuilder('Now'))
  .withPanel(
    number(
      'Usable',
      'Media proxies that take new calls.',
      'short',
      `sum(rtpproxy_ng_node_state{${at}, state=~"up|suspect"})`,
    ),
  )
  .withPanel(
    number(
      'Out of order',
      'Media proxies that were found not to answer.',
      'short',
      `sum(rtpproxy_ng_node_state{${at}, state="down"})`,
    ),
  )
  .withPanel(
    number(
      'Calls',
      'Calls that are remembered; of forked ones each branch.',
      'short',
      `sum(rtpproxy_ng_calls{${at}})`,
    ),
  )
  .withPanel(number('Commands', 'Commands that have ended.', 'ops', `sum(${rate('commands_total', asked)})`))
  .withPanel(
    number(
      'Failures',
      'Share of commands that failed.',
      'percentunit',
      `sum(${rate('commands_total', failed)} or vector(0)) / clamp_min(sum(${rate('commands_total', asked)}), 1e-9)`,
    ),
  )
  .withPanel(number('Open', 'Commands under way.', 'short', `sum(rtpproxy_ng_open_commands{${at}})`))
  .withRow(new RowBuilder('Commands'))
  .withPanel(
    graph('Commands', 'By name.', 'ops', [`sum by (command) (${rate('commands_total')})`, '{{command}}']),
  )
  .withPanel(
    graph('Failures', 'By the code of the error.', 'ops', [
      `sum by (result, command) (${rate('commands_total', failed)})`,
      '{{command}}: {{result}}',
    ]),
  )
  .withPanel(
    graph(
      'Duration',
      'From the call of a method to its result, pings left out.',
      's',
      [quantile(0.5, 'le'), 'half'],
      [quantile(0.95, 'le'), '95 %'],
      [quantile(0.99, 'le'), '99 %'],
    ),
  )
  .withPanel(
    graph('Duration by media proxy', '95 % take less.', 's', [quantile(0.95, 'le, node'), '{{node}}']),
  )
  .withPanel(
    graph(
      'Sent again',
      'Commands that got no answer in time, and those that went on to another media proxy.',
      'ops',
      [`sum by (node) (${rate('resends_total')})`, 'again to {{node}}'],
      [`sum(${rate('failovers_total')})`, 'to another'],
    ),
  )
  .withPanel(
    graph(
      'Refused and dropped',
      'Commands refused for overload, replies nobody waits for, deletes given up.',
      'ops',
      [`sum(${rate('overloads_total')})`, 'overload'],
      [`sum by (reason) (${rate('dropped_replies_total')})`, 'reply: {{reason}}'],
      [`sum(${rate('dropped_deletes_total')})`, 'delete'],
    ),
  )
  .withRow(new RowBuilder('Media proxies'))
  .withPanel(
    filled(new StateTimelineBuilder(), {
      title: 'States',
      description: '1 for the state each is in.',
      unit: 'short',
      width: 12,
      queries: [
        [`max by (node, set, state) (rtpproxy_ng_node_state{${at}}) == 1`, '{{set}} {{node}}: {{state}}'],
      ],
    }),
  )
  .withPanel(
    graph('Calls', 'On each media proxy.', 'short', [
      `sum by (node) (rtpproxy_ng_node_calls{${at}})`,
      '{{node}}',
    ]),
  )
  .withPanel(
    graph('Open commands', 'That wait for the reply of each.', 'short', [
      `sum by (node) (rtpproxy_ng_node_open_commands{${at}})`,
      '{{node}}',
    ]),
  )
  .withPanel(
    graph('Kept deletes', 'That wait for their media proxy to come back.', 'short', [
      `sum by (instance) (rtpproxy_ng_remembered_deletes{${at}})`,
      '{{instance}}',
    ]),
  )
  .build()

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(new URL('rtpproxy-ng.json', import.meta.url), `${JSON.stringify(dashboard, null, 2)}\n`)
