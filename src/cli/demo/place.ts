// Where the demo runs from: the sources, or what the build makes of them, which lies flat in dist/.

/** Whether this is a checkout of the repository, or JSR's copy of the sources. */
export const isSource: boolean = import.meta.url.endsWith(".ts");

/** The folder of the repository or of the package. No file URL where it runs from JSR. */
export const root: URL = new URL(isSource ? "../../../" : "../", import.meta.url);

/** What a worker process runs. */
export const workerScript: URL = new URL(
  isSource ? "./worker.ts" : "./demo-worker.js",
  import.meta.url,
);
