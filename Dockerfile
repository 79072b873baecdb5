# docker build -t keysieve .
# docker run --rm -v "$PWD:/repo:ro" keysieve history
FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo install --locked --path . --root /out

# Not `scratch`: CI servers run their steps in a shell of the image.
FROM alpine:3.22
COPY --from=build /out/bin/keysieve /usr/local/bin/keysieve
USER nobody
WORKDIR /repo
ENTRYPOINT ["keysieve"]
CMD ["--help"]
