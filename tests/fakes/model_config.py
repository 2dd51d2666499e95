"""A model config as people write it: comments, quotes of both kinds, braces in strings, three models."""

CONFIG = """# models of the shop; "name: resnet" in a comment is none
model_config_list {
  config {
    name: "resnet"  # the big one }
    base_path: '/models/resnet{'
    model_version_policy { specific { versions: 47 } }
    version_labels { key: "name" value: 1 }
  }
  config: <
    base_path: "/models/bert", name: "bert"; model_platform: "tensorflow"
  >
  config {
    name: "half" "way" base_path: "/models/half"
    logging_config { log_collector_config { type: "x" filename_prefix: "name: 'bert'" } } }
}
"""
