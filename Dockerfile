# docker build -t keysieve .
# docker run --rm -v "$PWD:/repo:ro" keysieve history
# docker run --rm -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY -e AWS_SESSION_TOKEN --entrypoint keysieve-verify keysieve KEY_ID
FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo install --locked --path . --root /out && cargo install --locked --path verify --root /out

# Not `scratch`: CI servers run their steps in a shell of the image.
FROM alpine:3.22
COPY --from=build /out/bin/keysieve /out/bin/keysieve-verify /usr/local/bin/
USER nobody
WORKDIR /repo
ENTRYPOINT ["keysieve"]
CMD ["--help"]
