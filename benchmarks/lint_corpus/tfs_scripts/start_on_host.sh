#!/bin/sh
# Installed from the apt repository; systemd bounds the memory (MemoryMax=).
exec tensorflow_model_server \
  --port=8500 \
  --rest_api_port=8501 \
  --model_name=text \
  --model_base_path=/srv/models/text \
  --monitoring_config_file=/etc/tensorflow-serving/monitoring.config
