import { defineConfig } from 'vite';
import { viteSingleFile } from 'vite-plugin-singlefile';
import { filesInside } from './xtask/single-file.js';

export default defineConfig(({ mode }) => ({
  // Relative, so that the site works from any folder of any host.
  base: './',
  publicDir: 'www/public',
  plugins: mode === 'single-file' ? [viteSingleFile({ useRecommendedBuildConfig: false }), filesInside()] : [],
  build: {
    target: 'es2023',
    license: { fileName: 'licenses.md' },
    assetsInlineLimit: 0,
    // The page is a few files of some tens of KB: there is nothing to split.
    chunkSizeWarningLimit: 300,
    rollupOptions:
      mode === 'single-file'
        ? {}
        : {
            // The charts are a module and a page of their own, for other pages than ours.
            input: ['index.html', 'charts.html', 'www/charts/index.js'],
            preserveEntrySignatures: 'exports-only',
            output: { entryFileNames: ({ facadeModuleId }) => (facadeModuleId?.endsWith('charts/index.js') ? 'charts.js' : 'assets/[name]-[hash].js') },
          },
  },
  worker: { format: mode === 'single-file' ? 'iife' : 'es' },
  server: { port: 5173, open: false },
}));
