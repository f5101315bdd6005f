# Darkroom's server. It computes on the GPU where the container has one (docker run --gpus all), else on the CPU.
#
#   docker build -t darkroom .
#   docker build -t darkroom:cpu --build-arg TORCH_INDEX=(PyTorch's index for CPUs) .
#
# PYTHON: the tag of the base image. TORCH_INDEX: one more package index, which decides the build of torch.
ARG PYTHON=3.11-slim
FROM python:${PYTHON}

ARG TORCH_INDEX=
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/darkroom

COPY pyproject.toml requirements.lock ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > pins.txt \
    && pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -c requirements.lock -r pins.txt \
    && rm pins.txt

COPY . .
RUN useradd --create-home darkroom \
    && mkdir -p /data/input /data/output /data/user \
    && mkdir -p cache temp custom_nodes \
    && cp -r input/. /data/input/ \
    && chown -R darkroom /data models cache temp
USER darkroom
VOLUME ["/data", "/opt/darkroom/models"]
EXPOSE 8188
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=20s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8188/healthz')"]
ENTRYPOINT ["python", "server.py"]
CMD ["serve", "--listen", "0.0.0.0", "--input-directory", "/data/input", "--output-directory", "/data/output", "--user-directory", "/data/user"]
