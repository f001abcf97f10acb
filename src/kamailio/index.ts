export type { KamailioMessage, MessageContext } from './message.ts'
export { type BeyondModule, type KamailioModule, loadModule, type ReturnCode } from './module.ts'
export type { ModuleParametersInput } from './parameters.ts'
