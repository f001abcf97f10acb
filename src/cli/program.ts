import { createRequire } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { RtpProxyNgError } from '../errors.ts'
import { addCompletion } from './completion.ts'
import { type ExitCode, UsageError, wholeNumber } from './outcome.ts'
import { type Report, reportOn } from './report.ts'

/** Where the command writes, and the program of the demonstration. */
export interface Surroundings {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly demo: URL
}

/** A command: reads its options, writes to the report. */
type Action = (report: Report, options: never, ...given: never[]) => Promise<ExitCode>

const EXIT_CODES = `
Exit codes: 0 all is well; 1 it failed: no answer, a refusal, a fault in a file; 2 wrong usage.
Programs read --json. NO_COLOR=1 turns colours off.`

/** Runs the command line `rtpproxy-ng ARGS`; resolves with its exit code. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr, demo } = surroundings
  const isJson = args.includes('--json')
  const program = newProgram(surroundings, isJson)
  const fallback = reportOn(stdout, stderr, isJson)
  let code: ExitCode = 0
  /** Loads the command when it is asked for: who pings need not read the benchmark. */
  const act =
    (load: () => Promise<Action>) =>
    async (...given: unknown[]): Promise<void> => {
      const command = given.pop() as Command
      const options = command.optsWithGlobals()
      const report = reportOn(stdout, stderr, options.json === true)
      const action = await load()
      code = await action(report, options as never, ...(given.slice(0, -1) as never[]))
    }
  addCommands(program, act, demo)
  try {
    addCompletion(program, stdout)
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0
      if (isJson) fallback.failure(new UsageError(usageOf(error)))
      return 2
    }
    fallback.failure(error)
    return error instanceof UsageError || isOption(error) ? 2 : 1
  }
}

function usageOf({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'a command is missing: --help has them' : message.replace(/^error: /, '')
}

function isOption(error: unknown): boolean {
  return error instanceof RtpProxyNgError && /_(OPTION|URL|FLAG)$/.test(error.code)
}

function newProgram({ stdout, stderr }: Surroundings, isJson: boolean): Command {
  const { version } = createRequire(import.meta.url)('rtpproxy-ng/package.json') as { version: string }
  return new Command('rtpproxy-ng')
    .description('Media proxies (rtpengine and others that speak NG): look, steer, try, measure.')
    .version(version)
    .option('--json', 'write JSON, for programs')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // Programs are told in JSON what is wrong.
      writeErr: (text) => void (isJson || stderr.write(text)),
    })
    .showHelpAfterError('(--help tells more)')
}

type Act = (load: () => Promise<Action>) => (...given: unknown[]) => Promise<void>

function addCommands(program: Command, act: Act, demo: URL): void {
  program
    .command('demo')
    .description('make a call through a SIP proxy and a media proxy, and show what goes over the wire')
    .option('--rtpengine <url>', 'the media proxy (default: the embedded relay)')
    .addHelpText('after', examples('rtpproxy-ng demo', 'rtpproxy-ng demo --rtpengine udp:127.0.0.1:2223'))
    .action(
      act(async () => {
        const { demo: runDemo } = await import('./commands/demo.ts')
        return (_, options) => runDemo(demo, options)
      }),
    )

  program
    .command('ping')
    .description('ask media proxies whether they are there')
    .argument('<url...>', 'udp:HOST:PORT, tcp:HOST:PORT, ws://HOST:PORT, http://HOST:PORT/ng, unix:PATH')
    .addOption(milliseconds('--timeout <ms>', 'how long to wait for each answer').default(1000))
    .addOption(count('--count <n>', 'how many pings to each').default(1))
    .addHelpText(
      'after',
      examples(
        'rtpproxy-ng ping udp:10.0.0.1:2223 tcp:10.0.0.1:2224',
        'rtpproxy-ng ping --json unix:/run/ng.sock',
      ),
    )
    .action(act(async () => (await import('./commands/ping.ts')).ping))

  addOperating(program, act)
  addTrying(program, act)
}

/** What is done to a running SIP server, through its management server. */
function addOperating(program: Command, act: Act): void {
  const operating = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .addOption(
        new Option('--management <url>', 'management server of the SIP server: http://HOST:PORT or unix:PATH')
          .env('RTPPROXY_NG_MANAGEMENT')
          .makeOptionMandatory(),
      )
      .addOption(new Option('--token <token>', 'its token').env('RTPPROXY_NG_TOKEN'))
  const managed = '--management http://127.0.0.1:8080'

  operating('show', 'show the media proxies of a running SIP server')
    .addHelpText('after', examples(`rtpproxy-ng show ${managed}`))
    .action(act(async () => (await import('./commands/operate.ts')).show))
  operating('enable', 'enable a media proxy, or end its draining')
    .argument('<url>', 'as the SIP server calls it')
    .option('--probe', 'only if it answers a ping')
    .addHelpText('after', examples(`rtpproxy-ng enable udp:10.0.0.1:2223 --probe ${managed}`))
    .action(act(async () => (await import('./commands/operate.ts')).enable))
  operating('disable', 'disable a media proxy until it is enabled')
    .argument('<url>', 'as the SIP server calls it')
    .addHelpText('after', examples(`rtpproxy-ng disable udp:10.0.0.1:2223 ${managed}`))
    .action(act(async () => (await import('./commands/operate.ts')).disable))
  operating('drain', 'give a media proxy no new calls')
    .argument('<url>', 'as the SIP server calls it')
    .option('--wait', 'until its last call is over')
    .addHelpText('after', examples(`rtpproxy-ng drain udp:10.0.0.1:2223 --wait ${managed}`))
    .action(act(async () => (await import('./commands/operate.ts')).drain))
}

function addTrying(program: Command, act: Act): void {
  program
    .command('offer')
    .description('send the offer of a SIP message: what is sent, what comes back, the message after')
    .argument('<file>', 'a SIP message; - for standard input')
    .option('--rtpengine <url>', 'the media proxy (default: the embedded relay)')
    .option('--flags <flags>', "flags of Kamailio's rtpproxy-ng, such as co")
    .option('--rtpengine-flags <words>', "flags of Kamailio's rtpengine, such as 'replace-origin ICE=remove'")
    .addOption(
      new Option('--as <command>', 'what to send')
        .choices(['offer', 'answer', 'delete', 'query'])
        .default('offer'),
    )
    .option('--source <address:port>', 'where the message came from', '127.0.0.1:5060')
    .option('--keep', 'leave the call at the media proxy')
    .addHelpText(
      'after',
      examples(
        'rtpproxy-ng offer invite.sip --rtpengine udp:127.0.0.1:2223 --flags co',
        "rtpproxy-ng offer invite.sip --rtpengine-flags 'ICE=remove RTP/AVP'",
      ),
    )
    .action(act(async () => (await import('./commands/offer.ts')).offer))

  program
    .command('decode')
    .description('make JSON of bencode; a cookie in front is passed over')
    .argument('[file]', 'bytes; - or nothing for standard input')
    .option('--hex <bytes>', 'the bytes in hexadecimal, as Wireshark copies them')
    .option('--tolerant', 'take what rtpengine takes')
    .addHelpText(
      'after',
      examples(
        "echo -n '1_2 d7:command4:pinge' | rtpproxy-ng decode",
        'rtpproxy-ng decode --hex 64313a61693165',
      ),
    )
    .action(act(async () => (await import('./commands/decode.ts')).decodeBytes))

  program
    .command('bench')
    .description('load a media proxy with calls: offer, answer, delete')
    .argument('<url>', 'the media proxy')
    .addOption(count('--calls <n>', 'how many calls').default(1000))
    .addOption(count('--concurrency <n>', 'how many at a time').default(32))
    .addOption(milliseconds('--timeout <ms>', 'how long to wait for each answer').default(1000))
    .addHelpText('after', examples('rtpproxy-ng bench udp:127.0.0.1:2223 --calls 10000 --concurrency 64'))
    .action(act(async () => (await import('./commands/bench.ts')).bench))

  program
    .command('relay')
    .description('run the embedded relay: a media proxy for development and tests')
    .option('--listen <url...>', 'where it takes commands', ['udp:127.0.0.1:2223'])
    .option('--address <ip...>', 'where its media ports are', ['127.0.0.1'])
    .option('--ports <min-max>', 'its media ports (default: any)')
    .addOption(count('--sessions <n>', 'how many calls at most').default(1000))
    .addHelpText('after', examples('rtpproxy-ng relay --listen udp:127.0.0.1:2223 --ports 30000-31000'))
    .action(act(async () => (await import('./commands/relay.ts')).relay))

  program
    .command('check')
    .description('tell what of a kamailio.cfg would be taken over')
    .argument('<file>', 'a kamailio.cfg; - for standard input')
    .addHelpText('after', examples('rtpproxy-ng check /etc/kamailio/kamailio.cfg'))
    .action(act(async () => (await import('./commands/check.ts')).check))
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`
}

function milliseconds(flags: string, description: string): Option {
  return new Option(flags, description).argParser(wholeNumber('--timeout', 1, 600_000))
}

function count(flags: string, description: string): Option {
  const name = flags.split(' ')[0]!
  return new Option(flags, description).argParser(wholeNumber(name, 1, 10_000_000))
}
