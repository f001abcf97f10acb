/**
 * For SIP servers on drachtio-srf. Its types are those of drachtio-srf; nothing of it is loaded.
 *
 * @module rtpproxy-ng/drachtio
 */

export { type B2buaMedia, type B2buaOptions, b2buaMedia } from './b2bua.ts'
export type { SideOptions } from './call.ts'
export type { Dialogs } from './dialogs.ts'
export { type DrachtioMessage, sipMessageOf } from './message.ts'
