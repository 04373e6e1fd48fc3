# s3conform and the client programs that packages bring. How to use it: docs/ci.md.
#
#     docker build -t s3conform .                     # --build-arg JSSDK=1 adds Node and the SDK for JavaScript
#     docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" s3conform run --endpoint URL
#
# BASE is any image of Debian's kind with Python 3.11 or later and its venv module.
ARG BASE=python:3.13-slim

FROM ${BASE} AS packages
ARG JSSDK=
ENV XDG_CACHE_HOME=/opt/cache
WORKDIR /src
RUN if [ -n "$JSSDK" ]; then apt-get update && apt-get install --yes --no-install-recommends npm; fi
# What it depends on comes first, with next to nothing of the package itself: a layer that outlives changes of the code.
COPY pyproject.toml README.md LICENSE ./
COPY harness/__init__.py harness/
RUN python3 -m venv /opt/s3conform && /opt/s3conform/bin/pip install --no-cache-dir '.[clients]'
COPY . .
RUN /opt/s3conform/bin/pip install --no-cache-dir --no-deps --force-reinstall . \
    && if [ -n "$JSSDK" ]; then /opt/s3conform/bin/python -m harness.clients.jssdk_install; fi

FROM ${BASE}
ARG JSSDK=
RUN if [ -n "$JSSDK" ]; then \
      apt-get update && apt-get install --yes --no-install-recommends nodejs && rm -rf /var/lib/apt/lists/*; \
    fi
# A working folder that any --user may write to, mounted or not.
RUN useradd --create-home --uid 10001 s3conform && mkdir --mode=1777 /work
COPY --from=packages /opt /opt
ENV PATH=/opt/s3conform/bin:$PATH XDG_CACHE_HOME=/opt/cache
USER s3conform
WORKDIR /work
ENTRYPOINT ["s3conform"]
CMD ["--help"]
