/**
 * Every error this package raises, with its code. `code` is what programs should test; `message` is for people and
 * may be reworded. Errors about bytes carry `offset`, errors about a node carry `node` and `command`.
 */

export type ErrorCode =
  | 'ERR_RTPPROXY_OPTION'
  | 'ERR_RTPPROXY_CONFIG'
  | 'ERR_RTPPROXY_URL'
  | 'ERR_RTPPROXY_FLAG'
  | 'ERR_RTPPROXY_PARAMETER'
  | 'ERR_RTPPROXY_SET'
  | 'ERR_RTPPROXY_BENCODE'
  | 'ERR_RTPPROXY_SDP'
  | 'ERR_RTPPROXY_SIP'
  | 'ERR_RTPPROXY_NO_SDP'
  | 'ERR_RTPPROXY_NO_CALL_ID'
  | 'ERR_RTPPROXY_NO_FROM_TAG'
  | 'ERR_RTPPROXY_NO_TO_TAG'
  | 'ERR_RTPPROXY_NO_VIA_BRANCH'
  | 'ERR_RTPPROXY_NO_EXTRA_ID'
  | 'ERR_RTPPROXY_NOT_APPLICABLE'
  | 'ERR_RTPPROXY_TOO_LARGE'
  | 'ERR_RTPPROXY_NO_NODE'
  | 'ERR_RTPPROXY_OVERLOAD'
  | 'ERR_RTPPROXY_TIMEOUT'
  | 'ERR_RTPPROXY_UNREACHABLE'
  | 'ERR_RTPPROXY_REPLY'
  | 'ERR_RTPPROXY_NG'
  | 'ERR_RTPPROXY_LOAD_LIMIT'
  | 'ERR_RTPPROXY_ABORTED'
  | 'ERR_RTPPROXY_CLOSED'

/** The base of all of them: `error instanceof RtpProxyNgError` tells ours from others. */
export class RtpProxyNgError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** An option, parameter or configuration text that cannot be used. `option` names it, `line` is its line in a file. */
export class ConfigurationError extends RtpProxyNgError {
  readonly option: string
  readonly line: number | undefined

  constructor(
    code: 'ERR_RTPPROXY_OPTION' | 'ERR_RTPPROXY_CONFIG' | 'ERR_RTPPROXY_URL',
    option: string,
    message: string,
    line?: number,
  ) {
    super(code, line === undefined ? message : `line ${line}: ${message}`)
    this.option = option
    this.line = line
  }
}

/** What is thrown for an option that cannot be used: the message says what it must be. */
export function optionError(option: string, message: string): ConfigurationError {
  return new ConfigurationError('ERR_RTPPROXY_OPTION', option, message)
}

/** A flag string with something in it that is no flag. `offset` counts characters. */
export class FlagError extends RtpProxyNgError {
  readonly flags: string
  readonly offset: number

  constructor(flags: string, offset: number, message: string) {
    super('ERR_RTPPROXY_FLAG', message)
    this.flags = flags
    this.offset = offset
  }
}

/** A parameter of an NG command that cannot be sent, or that strict checking does not know. Nothing has been sent. */
export class ParameterError extends RtpProxyNgError {
  /** Name of the NG command. */
  readonly command: string
  /** Where the culprit stands, as `flags[2]` or `codec.strip`. */
  readonly parameter: string

  constructor(command: string, parameter: string, message: string) {
    super('ERR_RTPPROXY_PARAMETER', `${command}: ${message}`)
    this.command = command
    this.parameter = parameter
  }
}

/** Bytes that are not bencode, or a value that bencode cannot carry. `offset` is in bytes, undefined for values. */
export class BencodeError extends RtpProxyNgError {
  readonly offset: number | undefined

  constructor(message: string, offset?: number) {
    super('ERR_RTPPROXY_BENCODE', offset === undefined ? message : `${message} at byte ${offset}`)
    this.offset = offset
  }
}

/** A body that is not SDP (RFC 8866). `offset` is in bytes from the start of the body. */
export class SdpError extends RtpProxyNgError {
  readonly offset: number

  constructor(message: string, offset: number) {
    super('ERR_RTPPROXY_SDP', `${message} at byte ${offset}`)
    this.offset = offset
  }
}

/** A SIP message that cannot be read, or lacks what a command needs. Nothing has been sent. */
export class SipError extends RtpProxyNgError {
  readonly offset: number | undefined

  constructor(
    code:
      | 'ERR_RTPPROXY_SIP'
      | 'ERR_RTPPROXY_NO_SDP'
      | 'ERR_RTPPROXY_NO_CALL_ID'
      | 'ERR_RTPPROXY_NO_FROM_TAG'
      | 'ERR_RTPPROXY_NO_TO_TAG'
      | 'ERR_RTPPROXY_NO_VIA_BRANCH'
      | 'ERR_RTPPROXY_NO_EXTRA_ID'
      | 'ERR_RTPPROXY_NOT_APPLICABLE',
    message: string,
    offset?: number,
  ) {
    super(code, offset === undefined ? message : `${message} at byte ${offset}`)
    this.offset = offset
  }
}

/** Where a failed command was going: its name, and the URL of the last node it went to, if it went to any. */
export interface CommandContext {
  readonly command: string
  readonly node: string | undefined
}

/** No media proxy took the command: none is left, it did not answer, or it cannot be reached. */
export class NodeError extends RtpProxyNgError implements CommandContext {
  readonly command: string
  readonly node: string | undefined

  constructor(
    code:
      | 'ERR_RTPPROXY_NO_NODE'
      | 'ERR_RTPPROXY_OVERLOAD'
      | 'ERR_RTPPROXY_SET'
      | 'ERR_RTPPROXY_TIMEOUT'
      | 'ERR_RTPPROXY_UNREACHABLE'
      | 'ERR_RTPPROXY_ABORTED'
      | 'ERR_RTPPROXY_CLOSED'
      | 'ERR_RTPPROXY_TOO_LARGE',
    message: string,
    context: CommandContext,
    options?: ErrorOptions,
  ) {
    super(code, message, options)
    this.command = context.command
    this.node = context.node
  }
}

/**
 * A media proxy answered, but not with what was asked for: `result` = `error` (`ERR_RTPPROXY_NG`, with its `reason`),
 * `load limit` (`ERR_RTPPROXY_LOAD_LIMIT`), or something that is no reply at all (`ERR_RTPPROXY_REPLY`).
 */
export class NgError extends RtpProxyNgError implements CommandContext {
  readonly command: string
  readonly node: string | undefined
  /** `error-reason` or `message` of the reply, as sent. */
  readonly reason: string | undefined

  constructor(
    code: 'ERR_RTPPROXY_NG' | 'ERR_RTPPROXY_LOAD_LIMIT' | 'ERR_RTPPROXY_REPLY',
    message: string,
    context: CommandContext & { readonly reason?: string | undefined },
    options?: ErrorOptions,
  ) {
    super(code, message, options)
    this.command = context.command
    this.node = context.node
    this.reason = context.reason
  }
}
