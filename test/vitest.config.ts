import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/services/**'],
    setupFiles: ['./setup.ts'],
    pool: 'forks',
    // Generous: CI machines have two cores and every wait is for a condition, never for a time.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
})
