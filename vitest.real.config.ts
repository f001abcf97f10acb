import { defineConfig } from 'vitest/config'

/** Tests against real programs (rtpengine, sipp): each finds its program or is skipped with the reason printed. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    // The style of the status page is taken as it is.
    css: true,
    testTimeout: 60_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    fileParallelism: false,
  },
})
