import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real/**', 'test/faults/**'],
    testTimeout: 20_000,
    css: true,
  },
})
