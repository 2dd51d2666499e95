#!/usr/bin/env bash
# Serves the models of this folder until the machine goes down.
set -euo pipefail
cd "$(dirname "$0")"

docker run -d --name serving --restart unless-stopped \
  -p 8500:8500 -p 127.0.0.1:8501:8501 \
  -m 4g --memory-swap 4g \
  -v "$PWD/models:/models:ro" -v "$PWD/config:/config:ro" \
  -e MODEL_NAME=text \
  tensorflow/serving:2.19.1 \
  --monitoring_config_file=/config/monitoring.config \
  --grpc_max_threads=16
