# A CPU: docker build -t nst-jax .
# An NVIDIA GPU: docker build -t nst-jax:cuda --build-arg EXTRA=cuda12 .   then: docker run --gpus all ...
#
# docker run --rm -v "$PWD:/pictures" nst-jax photo.jpg painting.jpg
#
# Runs lie in /pictures/runs, the folder that was given. A volume keeps downloaded weights: -v nst-jax:/cache
# Whose user has another number than 1000: --user "$(id -u):$(id -g)" -e NST_JAX_CACHE=/tmp/cache -e HOME=/tmp
FROM python:3.13-slim AS build
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --no-install-recommends --yes git && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# the version comes from git; VERSION says it where .git is not in the context
ARG VERSION=""
RUN if [ -n "$VERSION" ]; then export SETUPTOOLS_SCM_PRETEND_VERSION="$VERSION"; fi; \
    python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.13-slim
# cuda12 or cuda13: jax brings CUDA as packages, and the host only its driver
ARG EXTRA=""
RUN --mount=type=bind,from=build,source=/wheel,target=/wheel \
    python -m pip install --no-cache-dir "$(ls /wheel/*.whl)${EXTRA:+[$EXTRA]}"
RUN useradd --create-home --uid 1000 artist && mkdir /pictures /cache && chown artist:artist /pictures /cache
ENV NST_JAX_CACHE=/cache
USER artist
WORKDIR /pictures
VOLUME /cache
ENTRYPOINT ["nst-jax"]
CMD ["--help"]
