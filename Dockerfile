# docker build -t mediasweep .
# docker run --rm --env-file nightly.env -v /srv/audit:/project mediasweep run pipelines/nightly.yaml
FROM node:22-bookworm AS build
WORKDIR /build
# The ledger's native driver is fetched, or compiled where it cannot be.
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm ci && npm prune --omit=dev

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/mediasweep
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json ./
COPY pipelines ./pipelines
COPY config ./config
COPY src/rehearsal ./src/rehearsal
RUN ln -s /opt/mediasweep/dist/main.js /usr/local/bin/mediasweep && install -d -o node -g node /project
USER node
WORKDIR /project
ENTRYPOINT ["mediasweep"]
CMD ["--help"]
