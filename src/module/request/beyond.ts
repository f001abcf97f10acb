/** What makes the commands that the module did not know. Loaded when the first of them comes: see `on-demand.ts`. */
export { messageRequest } from './message-command.ts'
export { byteSum, parameterRequest } from './parameter-command.ts'
