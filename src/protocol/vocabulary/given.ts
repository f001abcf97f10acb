import { ParameterError } from '../../errors.ts'
import type { NgParameters } from './types.ts'

/** Whether these can be parameters: an object of names and values, not a list, a Map or bytes. */
export function isParameters(given: unknown): given is NgParameters {
  return (
    typeof given === 'object' && given !== null && !ArrayBuffer.isView(given) && !(Symbol.iterator in given)
  )
}

/** @throws ParameterError unless there are a name of a command and parameters: types alone keep nobody from giving anything else. */
export function checkGiven(command: unknown, parameters: unknown): void {
  if (typeof command !== 'string' || command === '')
    throw new ParameterError(String(command), 'command', 'a command is called by its name')
  if (!isParameters(parameters))
    throw new ParameterError(command, 'parameters', 'the parameters must be in an object')
}
