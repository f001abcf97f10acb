// Puts build/core.wasm into a source file, so that the published JavaScript needs no file next to it and works in
// bundlers and workers. Run by `npm run build:core`.
import { readFileSync, writeFileSync } from 'node:fs'

const wasm = readFileSync(new URL('../build/core.wasm', import.meta.url))
const module = new WebAssembly.Module(wasm)
const imports = WebAssembly.Module.imports(module)
if (imports.length > 0)
  throw new Error(`core.wasm must import nothing, but imports ${JSON.stringify(imports)}`)

writeFileSync(
  new URL('../src/core/embedded.ts', import.meta.url),
  `// Made by assembly/embed.mjs from build/core.wasm; not kept in git.\nexport const coreWasm: string =\n  '${wasm.toString('base64')}'\n`,
)
console.log(`core.wasm: ${wasm.length} bytes`)
