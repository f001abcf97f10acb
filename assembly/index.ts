// The exports of core.wasm, one line each.
export { FIELDS, INPUT, MAX_INPUT, OUTPUT, OUTPUT_SIZE, PARAMS, PARAMS_SIZE, REPLY, TABLE } from './memory'
