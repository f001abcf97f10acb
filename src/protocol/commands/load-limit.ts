import { isParameters } from '../vocabulary/given.ts'
import type { NgParameters } from '../vocabulary/types.ts'

/**
 * An offer says that it understands the result `load limit`, unless `supports` is given, be it as null: else a media proxy that is full
 * answers with an error.
 */
export function askingForLoadLimit(command: string, parameters: NgParameters): NgParameters {
  return command === 'offer' && isParameters(parameters)
    ? { supports: ['load limit'], ...parameters }
    : parameters
}
