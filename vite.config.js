import { defineConfig } from 'vite';

export default defineConfig({
  // Relative, so that the site works from any folder of any host.
  base: './',
  publicDir: 'www/public',
  build: {
    target: 'es2023',
    license: { fileName: 'licenses.md' },
    assetsInlineLimit: 0,
    // The page is a single file of a few tens of KB: there is nothing to split.
    chunkSizeWarningLimit: 300,
  },
  worker: { format: 'es' },
  server: { port: 5173, open: false },
});
