/** Films of 100 MB in a store of their own process: `first.mp4` with its index first, `last.mp4` with its index last. */
import { makeFilm } from '../test/support/sparse-film.ts';
import { startSparseStore } from '../test/support/sparse-store.ts';

const film = { sizeBytes: 100_000_000, seconds: 400, framesPerSecond: 25, keyFrameGap: 250 };
const { server, store, bytesRead } = await startSparseStore(
  {
    'first.mp4': makeFilm({ ...film, isIndexFirst: true }),
    'last.mp4': makeFilm({ ...film, isIndexFirst: false }),
  },
  Number(process.argv[2] ?? 0),
);
process.send?.({ url: server.url });
process.on('message', () => {
  process.send?.({ requests: store.counts()['GetObject'] ?? 0, bytes: bytesRead() });
});
process.on('disconnect', () => process.exit());
