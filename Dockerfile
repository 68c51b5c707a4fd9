# docker build -t mediasweep -t mediasweep:0.1.0 .
# docker run --rm --env-file nightly.env -v /srv/audit:/project mediasweep run pipelines/nightly.yaml
# With what several machines need beside it (docs/cluster.md): docker build --target cluster -t mediasweep-cluster:0.1.0 .
FROM node:22-bookworm AS build
WORKDIR /build
# The ledger's native driver is fetched, or compiled where it cannot be.
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm ci

FROM build AS plain
RUN npm prune --omit=dev

# Optional peers become dependencies, in the versions of the lockfile.
FROM build AS clustered
RUN for name in bullmq ioredis pg; do \
      npm pkg set "dependencies.$name=$(npm pkg get "devDependencies.$name" | tr -d '"')" && \
      npm pkg delete "devDependencies.$name" "peerDependencies.$name" "peerDependenciesMeta.$name"; \
    done && npm prune --omit=dev

FROM node:22-bookworm-slim AS base
ENV NODE_ENV=production
WORKDIR /opt/mediasweep
COPY --from=build /build/dist ./dist
COPY package.json ./
COPY pipelines ./pipelines
COPY config ./config
COPY src/rehearsal ./src/rehearsal
# Volumes that are new take their owner from here.
RUN ln -s /opt/mediasweep/dist/main.js /usr/local/bin/mediasweep && \
    install -d -o node -g node /project /project/.mediasweep /project/reports
USER node
WORKDIR /project
ENTRYPOINT ["mediasweep"]
CMD ["--help"]

FROM base AS cluster
COPY --from=clustered /build/node_modules /opt/mediasweep/node_modules

FROM base
COPY --from=plain /build/node_modules /opt/mediasweep/node_modules
