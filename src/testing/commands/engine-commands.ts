import { Call } from '../../relay/call.ts'
import { type CallObserver, Commands } from '../../relay/commands.ts'
import type { RelaySettings } from '../../relay/options.ts'
import { type Reply, type Request, refusal } from '../../relay/request.ts'
import { mediaCommands, recordingCommands } from './media.ts'
import { partiesOf } from './selection.ts'
import { stateOf, stateOfCall } from './state.ts'
import { engineStatistics } from './statistics.ts'
import { StreamCommands } from './streams.ts'

type Command = (request: Request) => Reply | Promise<Reply>

/** The commands of the relay, and those of rtpengine beyond them. They keep state, and leave the media as they are. */
export class EngineCommands extends Commands {
  readonly #streams: StreamCommands
  readonly #more: ReadonlyMap<string, Command>
  readonly #started = Date.now()

  constructor(settings: RelaySettings, observer: CallObserver) {
    super(settings, observer)
    const streams = new StreamCommands({
      settings,
      ports: this.ports,
      known: (request, reason) => this.#known(request, reason),
      opened: (callId) => this.#opened(callId),
    })
    this.#streams = streams
    this.#more = new Map<string, Command>([
      ['delete', (request) => this.#deleted(request)],
      ['query', (request) => this.#queried(request)],
      ['statistics', () => engineStatistics(this.calls.values(), this.#started)],
      ['publish', (request) => streams.publish(request)],
      ['create', (request) => streams.create(request)],
      ['create answer', (request) => streams.createAnswer(request)],
      ['subscribe request', (request) => streams.subscribeRequest(request)],
      ['subscribe answer', (request) => streams.subscribeAnswer(request)],
      ['unsubscribe', (request) => streams.unsubscribe(request)],
      ['connect', (request) => streams.connect(request)],
      ...this.#onCalls(mediaCommands, 'Unknown call-ID'),
      ...this.#onCalls(recordingCommands, 'Unknown call-id'),
    ])
  }

  #onCalls(
    commands: Readonly<Record<string, (call: Call, request: Request) => Reply>>,
    unknown: string,
  ): [string, Command][] {
    return Object.entries(commands).map(([name, command]) => [
      name,
      (request) => command(this.#known(request, unknown), request),
    ])
  }

  protected override async dispatch(request: Request): Promise<Reply> {
    const more = this.#more.get(request.text('command') ?? '')
    const reply = await (more === undefined ? super.dispatch(request) : more(request))
    this.#learnDestination(request)
    return reply
  }

  #known(request: Request, reason: string): Call {
    const call = this.calls.get(request.required('call-id'))
    if (call === undefined) throw refusal(reason)
    return call
  }

  #opened(callId: string): Call {
    const known = this.calls.get(callId)
    if (known !== undefined) return known
    if (this.calls.size >= this.settings.maxSessions) throw refusal('Parallel session limit reached')
    const call = new Call(callId)
    this.add(call)
    return call
  }

  async #deleted(request: Request): Promise<Reply> {
    const reply = await super.dispatch(request)
    const call = this.calls.get(request.text('call-id') ?? '')
    if (call !== undefined && this.#streams.isDeserted(call)) this.remove(call)
    return reply
  }

  async #queried(request: Request): Promise<Reply> {
    const reply = await super.dispatch(request)
    const call = this.#known(request, 'Unknown call-id')
    const isForwarding = partiesOf(call).some((party) => stateOf(party).forwarding)
    const isRecording = stateOfCall(call).recording === 'on'
    if (!isForwarding && !isRecording) return reply
    return {
      ...reply,
      recording: { 'call recording': Number(isRecording), forwarding: Number(isForwarding) },
    }
  }

  #learnDestination(request: Request): void {
    const call = this.calls.get(request.text('call-id') ?? '')
    if (call === undefined) return
    const state = stateOfCall(call)
    state.dtmfDestination = request.text('dtmf-log-dest') ?? state.dtmfDestination
  }
}
