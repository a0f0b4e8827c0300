# The container image: see tools/image.sh, which makes the same without a Docker daemon.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends make git
WORKDIR /src
COPY tools/packages.txt tools/deps.sh tools/
RUN tools/deps.sh build
COPY . .
RUN make build && tools/image_rootfs.sh build/release/stillpoint /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
ENTRYPOINT ["/stillpoint"]
